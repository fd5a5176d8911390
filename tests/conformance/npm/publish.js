// Publishes events with the npm CloudEvents SDK. Standard input: {url, token, sends: [{mode, event}]}, where the data of
// an event may be {"base64": "…"} for bytes. Standard output: what each was answered, as {status, body}.
"use strict";
const { CloudEvent, HTTP, Mode, emitterFor, httpTransport } = require("cloudevents");
const { readFileSync } = require("node:fs");

const { url, token, sends } = JSON.parse(readFileSync(0, "utf-8"));
const headers = { authorization: `Bearer ${token}` };

function eventOf({ base64, ...given }) {
  return new CloudEvent(base64 === undefined ? given : { ...given, data: new Uint8Array(Buffer.from(base64, "base64")) });
}

// The SDK's own transport cannot send a message without a body, and does not tell the status.
async function fetchTransport(message, options) {
  const answer = await fetch(url, { method: "POST", headers: { ...message.headers, ...options.headers }, body: message.body });
  return { status: answer.status, body: await answer.text() };
}

const modes = {
  "emitter binary": (event) => emitterFor(httpTransport(url), { binding: HTTP, mode: Mode.BINARY })(event, { headers }),
  "emitter structured": (event) =>
    emitterFor(httpTransport(url), { binding: HTTP, mode: Mode.STRUCTURED })(event, { headers }),
  "HTTP.binary": (event) => fetchTransport(HTTP.binary(event), { headers }),
  "HTTP.structured": (event) => fetchTransport(HTTP.structured(event), { headers }),
};

async function main() {
  const answers = [];
  for (const { mode, event, batch } of sends) {
    try {
      if (batch !== undefined) {
        const body = `[${batch.map((given) => HTTP.structured(eventOf(given)).body).join(",")}]`;
        const message = { headers: { "content-type": "application/cloudevents-batch+json" }, body };
        answers.push(await fetchTransport(message, { headers }));
      } else {
        const { status, body } = await modes[mode](eventOf(event));
        answers.push({ status, body });
      }
    } catch (error) {
      answers.push({ error: String(error) });
    }
  }
  // The SDK's transport leaves a request open that it could not write, and node would wait for it.
  process.stdout.write(JSON.stringify(answers), () => process.exit(0));
}

main();
