// A third party's program that uses npm's oauth4webapi as its documentation shows it.
// It prints where to send the person, reads the address that the browser came back to, and prints what it learnt.
import * as oauth from "oauth4webapi";
import { createInterface } from "node:readline/promises";

const { issuer, clientId, secret, callback, details } = JSON.parse(process.argv[2]);
const loopback = { [oauth.allowInsecureRequests]: true };
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (what) => process.stdout.write(JSON.stringify(what) + "\n");

const url = new URL(issuer);
const server = await oauth.processDiscoveryResponse(
  url,
  await oauth.discoveryRequest(url, { ...loopback, algorithm: "oauth2" }),
);
const resource = await oauth.processResourceDiscoveryResponse(url, await oauth.resourceDiscoveryRequest(url, loopback));
const client = { client_id: clientId };
const proof = secret ? oauth.ClientSecretBasic(secret) : oauth.None();

const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const asking = new URL(server.authorization_endpoint);
asking.search = new URLSearchParams({
  response_type: "code", client_id: clientId, redirect_uri: callback, state, authorization_details: details,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
}).toString();
say({ go: asking.href });

const back = new URL((await lines.next()).value);
const answer = oauth.validateAuthResponse(server, client, back, state); // it checks `iss`, too
const got = await oauth.processAuthorizationCodeResponse(
  server, client, await oauth.authorizationCodeGrantRequest(server, client, proof, answer, callback, verifier, loopback),
);
const asked = async (token, context) => {
  const body = JSON.stringify({ version: "11.2", modelname: "-", context });
  const headers = new Headers({ "Content-Type": "application/json" });
  try {
    const response = await oauth.protectedResourceRequest(token, "POST", new URL(issuer + "/ask"), headers, body, loopback);
    return { status: response.status, val: (await response.json()).val };
  } catch (error) {
    return { status: error.status, challenges: error.cause };
  }
};
const seen = await asked(got.access_token, ["Sport"]);
const denied = await asked(got.access_token, ["Personal"]);

const again = await oauth.processRefreshTokenResponse(
  server, client, await oauth.refreshTokenGrantRequest(server, client, proof, got.refresh_token, loopback),
);
const later = await asked(again.access_token, ["Sport"]);
await oauth.processRevocationResponse(
  await oauth.revocationRequest(server, client, proof, again.refresh_token, loopback),
);
const revoked = await asked(again.access_token, ["Sport"]);
say({ resource, granted: got, seen, denied, later, revoked });
process.exit(0);
