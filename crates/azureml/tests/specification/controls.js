'use strict';
// Mistakes that must be found, each made in an exchange that is in order: a check that finds nothing says something only if it could.

const SUBSCRIPTION = '/subscriptions/00000000-0000-0000-0000-000000000000';
const PROVIDER = `${SUBSCRIPTION}/providers/Microsoft.MachineLearningServices`;
const WORKSPACE = `${SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/mlops-ws`;

const headers = { accept: 'application/json', 'content-type': 'application/json' };

function exchange(method, path, query, body, reply) {
  const name = `${method} ${path}`;
  return { name, method, path: WORKSPACE + path, url: `https://management.azure.com${WORKSPACE}${path}?`, query, headers, body, reply };
}

const inOrder = (spoken) => ({
  cluster: exchange('PUT', '/computes/cluster', { 'api-version': spoken }, {
    location: 'westeurope',
    properties: {
      computeType: 'AmlCompute',
      properties: { vmSize: 'Standard_DS3_v2', scaleSettings: { minNodeCount: 0, maxNodeCount: 1 } },
    },
  }),
  endpoint: exchange('PUT', '/onlineEndpoints/ames', { 'api-version': spoken }, {
    location: 'westeurope',
    identity: { type: 'SystemAssigned' },
    properties: { authMode: 'Key', traffic: { blue: 100 } },
  }),
  keys: exchange('POST', '/onlineEndpoints/ames/listKeys', { 'api-version': spoken }, undefined, {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: { primaryKey: 'a', secondaryKey: 'b' },
  }),
  status: {
    ...exchange('GET', '', {}, undefined, {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: { status: 'Failed', error: { code: 'BadArgument', message: 'no', details: [] } },
    }),
    path: `${PROVIDER}/locations/westeurope/computeOperationsStatus/1`,
  },
  deletion: exchange('DELETE', '/computes/cluster', { 'api-version': spoken, underlyingResourceAction: 'Delete' }),
});

// Which exchange, what is done to it, and the finding that each validator must make of it.
const MISTAKES = [
  ['a missing authMode', 'endpoint', ({ body }) => delete body.properties.authMode,
    { openapi: ['OBJECT_MISSING_REQUIRED_PROPERTY', '/properties/authMode'], 'arm schema': ['required', '/properties/authMode'] }],
  ['a missing maxNodeCount', 'cluster', ({ body }) => delete body.properties.properties.scaleSettings.maxNodeCount,
    { openapi: ['OBJECT_MISSING_REQUIRED_PROPERTY', '/properties/properties/scaleSettings/maxNodeCount'],
      'arm schema': ['required', '/properties/properties/scaleSettings/maxNodeCount'] }],
  ['a misspelt field', 'cluster', ({ body }) => { body.properties.properties.vmSzie = 'Standard_DS3_v2'; },
    { openapi: ['OBJECT_ADDITIONAL_PROPERTIES', '/properties/properties/vmSzie'],
      'arm schema': ['additionalProperties', '/properties/properties/vmSzie'] }],
  ['a misspelt field beside the type', 'cluster', ({ body }) => { body.properties.disableLocalAuht = true; },
    { openapi: ['OBJECT_ADDITIONAL_PROPERTIES', '/properties/disableLocalAuht'],
      'arm schema': ['additionalProperties', '/properties/disableLocalAuht'] }],
  ['a number as a text', 'cluster', ({ body }) => { body.properties.properties.scaleSettings.minNodeCount = '0'; },
    { openapi: ['INVALID_TYPE', '/properties/properties/scaleSettings/minNodeCount'],
      'arm schema': ['type', '/properties/properties/scaleSettings/minNodeCount'] }],
  ['an unknown type of compute', 'cluster', ({ body }) => { body.properties.computeType = 'AmlCompute2'; },
    { openapi: ['DISCRIMINATOR_VALUE_NOT_FOUND', '/properties/computeType'], 'arm schema': ['enum', '/properties/computeType'] }],
  ['a misspelt path', 'cluster', (it) => { it.path = it.path.replace('computes', 'compute'); it.url = it.url.replace('computes', 'compute'); },
    { openapi: ['NO_OPERATION', `${WORKSPACE}/compute/cluster`], 'arm schema': ['NO_TYPE', 'workspaces/compute'] }],
  ['another version', 'deletion', ({ query }) => { query['api-version'] = '2024-04-01'; }, { openapi: ['API_VERSION', 'api-version'] }],
  ['a missing parameter', 'deletion', ({ query }) => delete query.underlyingResourceAction,
    { openapi: ['MISSING_REQUIRED_PARAMETER', '/query/underlyingResourceAction'] }],
  ['a misspelt parameter', 'deletion', ({ query }) => { query.underlyingResourceAktion = 'Delete'; },
    { openapi: ['UNKNOWN_PARAMETER', 'underlyingResourceAktion'] }],
  ['a reply of another type', 'keys', ({ reply }) => { reply.body.primaryKey = 1; }, { openapi: ['INVALID_TYPE', '/primaryKey'] }],
  ['a reply with a misspelt field', 'keys', ({ reply }) => { reply.body.primaryKye = 'a'; },
    { openapi: ['OBJECT_ADDITIONAL_PROPERTIES', '/primaryKye'] }],
  ['an operation without a status', 'status', ({ reply }) => delete reply.body.status, { 'operation status': ['required', '/status'] }],
  ['an operation whose error is a text', 'status', ({ reply }) => { reply.body.error = 'no'; }, { 'operation status': ['type', '/error'] }],
  ['a reply of an unknown status', 'keys', ({ reply }) => { reply.status = 201; }, { openapi: ['INVALID_RESPONSE_CODE', ''] }],
];

// Makes all mistakes, and returns how many were found. `check` returns the findings of an exchange with `against` at each.
async function run(check, spoken, validators) {
  const failures = [];
  const good = inOrder(spoken);
  for (const [name, it] of Object.entries(good)) {
    const findings = await check(structuredClone(it));
    if (findings.length > 0) failures.push(`${name} is in order, and yet: ${JSON.stringify(findings)}`);
  }
  let caught = 0;
  for (const [mistake, of, make, expected] of MISTAKES) {
    const wrong = structuredClone(good[of]);
    make(wrong);
    const findings = await check(wrong);
    for (const [against, [code, path]] of Object.entries(expected)) {
      if (!validators.includes(against)) continue;
      if (findings.some((finding) => finding.against === against && finding.code === code && finding.path === path)) caught += 1;
      else failures.push(`${against} does not find ${mistake} (${code} ${path}): ${JSON.stringify(findings)}`);
    }
  }
  if (failures.length > 0) throw new Error(`controls failed:\n  ${failures.join('\n  ')}`);
  return caught;
}

module.exports = { run };
