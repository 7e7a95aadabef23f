// A third party's program that uses npm's openid-client: a code, a refresh, and a device that has no browser.
// It prints where to send the person, reads the address that the browser came back to, and prints what it learnt.
import * as client from "openid-client";
import { createInterface } from "node:readline/promises";

const { issuer, clientId, secret, callback, details } = JSON.parse(process.argv[2]);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (what) => process.stdout.write(JSON.stringify(what) + "\n");

const proof = secret ? client.ClientSecretPost(secret) : client.None();
const config = await client.discovery(new URL(issuer), clientId, undefined, proof, {
  algorithm: "oauth2", execute: [client.allowInsecureRequests],
});
const verifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const asking = client.buildAuthorizationUrl(config, {
  redirect_uri: callback, state, authorization_details: details,
  code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
});
say({ go: asking.href });
const back = new URL((await lines.next()).value);
const got = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier, expectedState: state });

const asked = async (token, context) => {
  const body = JSON.stringify({ version: "11.2", modelname: "-", context });
  const headers = new Headers({ "Content-Type": "application/json" });
  const response = await client.fetchProtectedResource(config, token, new URL(issuer + "/ask"), "POST", body, headers);
  return { status: response.status, val: (await response.json()).val };
};
const seen = await asked(got.access_token, ["Sport"]);
const again = await client.refreshTokenGrant(config, got.refresh_token);
const later = await asked(again.access_token, ["Sport"]);
await client.tokenRevocation(config, again.refresh_token);

const device = await client.initiateDeviceAuthorization(config, { scope: "ask:Sport" });
say({ enter: device.user_code, at: device.verification_uri });
const byDevice = await client.pollDeviceAuthorizationGrant(config, device);
say({ granted: got, seen, later, byDevice, seenByDevice: await asked(byDevice.access_token, ["Sport"]) });
process.exit(0);
