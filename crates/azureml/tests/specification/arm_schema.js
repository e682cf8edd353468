'use strict';
// Azure's JSON schema of what is put to the resource manager. It is as new as the interface that is spoken, and knows requests only.

const fs = require('node:fs');
const path = require('node:path');
const Ajv = require('ajv');
const { PROVIDER, subject } = require('./exchanges');

const VERSION = '2025-12-01';
const FILE = `arm-schema-${VERSION}-${PROVIDER}.json`;
const EXPRESSION = 'https://schema.management.azure.com/schemas/common/definitions.json#/definitions/expression';

class ArmSchema {
  // `undefined` if the folder has no such file.
  static load(folder) {
    const file = path.join(folder, FILE);
    return fs.existsSync(file) ? new ArmSchema(JSON.parse(fs.readFileSync(file, 'utf8'))) : undefined;
  }

  constructor(schema) {
    this.types = Object.keys(schema.resourceDefinitions);
    const plain = closed(withVariants(withoutExpressions(schema)));
    this.ajv = new Ajv({ schemaId: 'id', meta: false, unknownFormats: 'ignore', allErrors: true });
    this.ajv.addMetaSchema(require('ajv/lib/refs/json-schema-draft-04.json'));
    this.ajv.addSchema({ ...plain, id: 'schema' });
  }

  // What is wrong with the body of a PUT; `undefined` if it is another request, or of another provider.
  check(exchange) {
    if (exchange.method !== 'PUT' || subject(exchange) !== PROVIDER) return undefined;
    const segments = exchange.path.split(new RegExp(`/providers/${PROVIDER}/`, 'i')).at(-1).split('/');
    const kinds = segments.filter((_, at) => at % 2 === 0);
    const type = this.types.find((known) => known.toLowerCase() === kinds.join('_').toLowerCase());
    if (!type) return [{ side: 'request', code: 'NO_TYPE', path: kinds.join('/'), message: 'the schema has no such type' }];
    const resource = {
      name: segments.at(-1),
      type: `${PROVIDER}/${type.replaceAll('_', '/')}`,
      apiVersion: VERSION,
      ...exchange.body,
    };
    const validate = this.ajv.getSchema(`schema#/resourceDefinitions/${type}`);
    validate(resource);
    return findings('request', validate.errors);
  }
}

function findings(side, errors) {
  return (errors ?? [])
    // That a branch failed says nothing beyond what failed in it.
    .filter(({ keyword }) => keyword !== 'if')
    .map(({ keyword, dataPath, message, params }) => {
      const name = params.additionalProperty ?? params.missingProperty;
      const place = name === undefined ? dataPath : `${dataPath}.${name}`;
      return { side, code: keyword, path: place.replaceAll(/[.[\]']+/g, '/').replace(/\/$/, ''), message };
    });
}

// Any value may be an expression in a template. In a request it must not.
function withoutExpressions(node) {
  if (Array.isArray(node)) return node.map(withoutExpressions);
  if (node === null || typeof node !== 'object') return node;
  const { oneOf, ...rest } = node;
  if (oneOf?.some(({ $ref }) => $ref === EXPRESSION)) {
    const [value] = oneOf.filter(({ $ref }) => $ref !== EXPRESSION);
    return { ...withoutExpressions(rest), ...withoutExpressions(value) };
  }
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, withoutExpressions(value)]));
}

// A base type is closed and its variants add to it, so that by the letter nothing is allowed. Here each variant has the base's fields
// too, and the field that tells them apart chooses the one that an error is about.
function withVariants({ definitions, ...schema }) {
  const chosen = Object.entries(definitions).map(([name, definition]) => {
    const [base, { oneOf: variants } = {}] = definition.allOf ?? [];
    if (!variants) return [name, definition];
    const choices = variants.map(({ allOf: [{ $ref }, { properties: choice }] }) => {
      const variant = definitions[$ref.slice('#/definitions/'.length)];
      const required = [...(base.required ?? []), ...(variant.required ?? [])];
      return {
        if: { properties: choice },
        then: { ...variant, properties: { ...base.properties, ...variant.properties }, required: [...new Set(required)] },
      };
    });
    // Which variants there are is said of the field in the base.
    const field = Object.keys(variants[0].allOf[1].properties)[0];
    return [name, { required: [field], allOf: [{ properties: { [field]: base.properties[field] } }, ...choices] }];
  });
  return { ...schema, definitions: Object.fromEntries(chosen) };
}

// Types are open, as Azure ignores what it does not know. A misspelt name would pass, so here they are closed.
function closed(node) {
  if (Array.isArray(node)) return node.map(closed);
  if (node === null || typeof node !== 'object') return node;
  const result = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, closed(value)]));
  const isType = result.type === 'object' && Object.keys(result.properties ?? {}).length > 0;
  return isType ? { additionalProperties: false, ...result } : result;
}

module.exports = { ArmSchema, VERSION, closed, findings };
