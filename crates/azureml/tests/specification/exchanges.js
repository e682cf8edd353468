'use strict';
// Reads exchanges: what the tests' server was asked and answered, or what was recorded of Microsoft's SDK.

const fs = require('node:fs');
const path = require('node:path');

// The traces have words for ids, and Azure's specification wants them to look like ids.
const WORDS_FOR_IDS = /(ENDPOINT-)?PRINCIPAL-ID|SUBSCRIPTION-ID|TENANT-ID/g;
const AN_ID = '00000000-0000-0000-0000-000000000000';

function filesOf(folder) {
  const names = fs.readdirSync(folder).filter((name) => name.endsWith('.json')).sort();
  if (names.length === 0) throw new Error(`${folder} holds no exchanges`);
  return names.map((name) => {
    const text = fs.readFileSync(path.join(folder, name), 'utf8').replace(WORDS_FOR_IDS, AN_ID);
    return { name, value: JSON.parse(text) };
  });
}

function lowerCaseNames(headers) {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

// An exchange: `name` says where it is from, `url` is as if Azure had been asked, a body that is not there is `undefined`, and `reply` is
// missing where the connection broke.
function exchange(name, method, requestPath, query, headers, body, reply) {
  const url = `https://management.azure.com${encodeURI(requestPath)}?${new URLSearchParams(query)}`;
  return { name, method, path: requestPath, query, url, headers, body: body ?? undefined, reply };
}

// What the client's tests said and were answered, as `tests/loopback` keeps it.
function traffic(folder) {
  return filesOf(folder).map(({ value }) => {
    const { test, method, path: requestPath, request_headers: headers, request_body: body } = value;
    const reply = value.status && { status: value.status, headers: value.headers, body: value.body ?? undefined };
    return exchange(test, method, requestPath, Object.fromEntries(value.query), headers, body, reply);
  });
}

// What Microsoft's SDK said and accepted: `fixtures/azureml/traces`.
function traces(folder) {
  return filesOf(folder).map(({ name, value: { request, response } }) => {
    const headers = lowerCaseNames(response.headers);
    // The recording left out the content types of replies.
    if (response.body !== null && typeof response.body === 'object') headers['content-type'] ??= 'application/json';
    const reply = { status: response.status, headers, body: response.body ?? undefined };
    const isAzure = request.host === 'management.azure.com';
    const requestPath = isAzure ? request.path : `/${request.host}${request.path}`;
    return exchange(name, request.method, requestPath, request.query, lowerCaseNames(request.headers), request.body, reply);
  });
}

// What an emulator recorded, in a folder for each test of its own.
function recordings(folder) {
  // Some tests are about something else, and ask nothing that is recorded.
  const tests = fs.readdirSync(folder).filter((test) => fs.readdirSync(path.join(folder, test)).length > 0);
  return tests.sort().flatMap((test) =>
    filesOf(path.join(folder, test)).map(({ name, value: { request, response } }) => {
      const reply = { ...response, body: response.body ?? undefined };
      return exchange(`${test}/${name}`, request.method, request.path, request.query, request.headers, request.body, reply);
    }));
}

const PROVIDER = 'Microsoft.MachineLearningServices';
const STATUS = 'status of operations';

// What an exchange is about, for what is not covered: a provider, or the beginning of a path that is none of Azure Resource Manager's.
function subject({ path: requestPath, headers }) {
  const providers = [...requestPath.matchAll(/\/providers\/([^/]+)/gi)].map((match) => match[1]);
  if (/^\/subscriptions\/[^/]+\/providers\/[^/]+\/locations\/[^/]+\/\w+Operations?(Status|Results?)\//i.test(requestPath)) {
    return STATUS;
  }
  // Who offers what in a subscription is the resource manager's own affair.
  if (/^\/subscriptions\/[^/]+\/providers(\/[^/]+(\/(un)?register)?)?$/i.test(requestPath)) return 'Microsoft.Resources';
  if (providers.length > 0 && /^\/subscriptions\//i.test(requestPath)) {
    // Azure does not mind case.
    const provider = providers.at(-1);
    return provider.toLowerCase() === PROVIDER.toLowerCase() ? PROVIDER : provider;
  }
  if (/^\/subscriptions\/[^/]+\/resourcegroups\/[^/]+$/i.test(requestPath)) return 'Microsoft.Resources';
  if (headers['x-ms-version']) return 'blobs';
  if (/\/oauth2\/|\/msi\/token$/.test(requestPath)) return 'tokens';
  return requestPath.split('/').slice(0, 2).join('/');
}

module.exports = { traffic, traces, recordings, subject, PROVIDER, STATUS };
