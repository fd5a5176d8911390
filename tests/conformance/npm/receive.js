// Reads deliveries with the npm CloudEvents SDK. Standard input: [{headers, base64}], header names in lower case and the
// body in base64. Standard output: the events, with bytes as {"base64": "…"} in place of data.
"use strict";
const { HTTP } = require("cloudevents");
const { readFileSync } = require("node:fs");

function shown({ data_base64: base64, ...event }) {
  if (base64 === undefined) return event;
  delete event.data;
  return { ...event, base64 };
}

const events = JSON.parse(readFileSync(0, "utf-8")).map(({ headers, base64 }) => {
  const bytes = Buffer.from(base64, "base64");
  const type = headers["content-type"] ?? "";
  // As frameworks do: text for what is text, bytes for the rest.
  const body = /json|text|xml/.test(type) ? bytes.toString("utf-8") : new Uint8Array(bytes);
  const event = HTTP.toEvent({ headers, body: bytes.length ? body : undefined });
  return shown(JSON.parse(JSON.stringify(event)));
});
process.stdout.write(JSON.stringify(events));
