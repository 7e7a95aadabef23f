// Passkeys: the browser makes or uses one, and what it says goes into the form. Nothing is sent elsewhere.
"use strict";

const unpacked = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));

const packed = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const known = (list) => (list || []).map((one) => ({ ...one, id: unpacked(one.id) }));

async function made(options) {
  const publicKey = { ...options, challenge: unpacked(options.challenge), excludeCredentials: known(options.excludeCredentials) };
  publicKey.user = { ...options.user, id: unpacked(options.user.id) };
  const credential = await navigator.credentials.create({ publicKey });
  const { response } = credential;
  return written(credential, {
    clientDataJSON: packed(response.clientDataJSON),
    attestationObject: packed(response.attestationObject),
    transports: response.getTransports ? response.getTransports() : [],
  });
}

async function used(options) {
  const publicKey = { ...options, challenge: unpacked(options.challenge), allowCredentials: known(options.allowCredentials) };
  const credential = await navigator.credentials.get({ publicKey });
  const { response } = credential;
  return written(credential, {
    clientDataJSON: packed(response.clientDataJSON),
    authenticatorData: packed(response.authenticatorData),
    signature: packed(response.signature),
    userHandle: response.userHandle ? packed(response.userHandle) : null,
  });
}

const written = (credential, response) =>
  JSON.stringify({ id: credential.id, rawId: packed(credential.rawId), type: credential.type, response, clientExtensionResults: {} });

const words = (error) =>
  error.name === "InvalidStateError"
    ? "This device has a passkey for your account already."
    : error.name === "NotAllowedError"
      ? "No passkey was used: it was cancelled, or there is none for this llum here. Try again, or use another way."
      : `The browser could not do this (${error.name}). Use another way.`;

function say(form, text) {
  form.querySelector("[data-passkey-trouble]").hidden = !text;
  form.querySelector("[data-passkey-words]").textContent = text;
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const missing = form.querySelector("[data-passkey-missing]");
  const button = form.querySelector("[data-passkey-button]");
  if (!window.PublicKeyCredential) {
    missing.textContent = "This browser knows no passkeys. Use another way.";
    continue;
  }
  missing.hidden = true;
  button.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    say(form, "");
    try {
      const options = JSON.parse(form.dataset.options);
      form.elements.credential.value = await (form.dataset.passkey === "make" ? made(options) : used(options));
      form.submit();
    } catch (error) {
      say(form, words(error));
      button.disabled = false;
    }
  });
}
