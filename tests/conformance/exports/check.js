// Reads {"asyncapi": {name: text}, "backstage": [entity]} and writes what the packages say against them:
// {"asyncapi": {name: [diagnostic]}, "backstage": [message or null]}.
const { Parser } = require("@asyncapi/parser");
const backstage = require("@backstage/catalog-model");

async function asyncapi(documents) {
  const parser = new Parser();
  const found = {};
  for (const [name, text] of Object.entries(documents)) {
    const { document, diagnostics } = await parser.parse(text);
    found[name] = diagnostics.map(({ severity, code, message, path }) => ({ severity, code, message, path }));
    if (document === undefined && !found[name].some(({ severity }) => severity === 0)) throw new Error(`${name} gave nothing`);
  }
  return found;
}

async function entities(all) {
  const validators = {
    API: backstage.apiEntityV1alpha1Validator,
    Group: backstage.groupEntityV1alpha1Validator,
    Domain: backstage.domainEntityV1alpha1Validator,
  };
  const policy = backstage.EntityPolicies.allOf([
    new backstage.SchemaValidEntityPolicy(),
    new backstage.NoForeignRootFieldsEntityPolicy(),
    new backstage.FieldFormatEntityPolicy(),
  ]);
  return Promise.all(
    all.map(async (entity) => {
      try {
        await policy.enforce(entity);
        return (await validators[entity.kind].check(entity)) ? null : `not a ${entity.kind}`;
      } catch (error) {
        return error.message;
      }
    }),
  );
}

let text = "";
process.stdin.on("data", (piece) => (text += piece));
process.stdin.on("end", async () => {
  const given = JSON.parse(text);
  const answer = { asyncapi: await asyncapi(given.asyncapi), backstage: await entities(given.backstage) };
  process.stdout.write(JSON.stringify(answer));
});
