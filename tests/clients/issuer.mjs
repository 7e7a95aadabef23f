// An OpenID Connect issuer that llum has no part in: npm's oidc-provider, with a person who is whoever they say.
// It prints its address in one line, and ends with its standard input.
import http from "node:http";
import Provider from "oidc-provider";

const server = http.createServer();
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "llum",
      client_secret: "a secret of llum, with / and +",
      // Loopback addresses of native clients may have any port (RFC 8252).
      application_type: "native",
      redirect_uris: ["http://localhost/signed-in/npm"],
      grant_types: ["authorization_code"],
      response_types: ["code"],
    },
  ],
  pkce: { required: () => true },
  // The profile is at the userinfo endpoint, not in the ID token.
  claims: { openid: ["sub"], profile: ["given_name", "family_name", "preferred_username"], email: ["email"] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      given_name: "Grace",
      family_name: "Hopper",
      preferred_username: "Grace.Hopper",
      email: `${id}@navy.example`,
      email_verified: true,
    }),
  }),
  cookies: { keys: ["for tests alone"] },
});

server.on("request", provider.callback());
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
console.log(issuer);
