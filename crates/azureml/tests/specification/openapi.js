'use strict';
// Azure's OpenAPI specification, by Microsoft's own validator, which knows how its types derive from each other.

const { LiveValidator } = require('oav/dist/lib/liveValidation/liveValidator');
const { PROVIDER, subject } = require('./exchanges');

// The specification at hand is older than the interface that is spoken: what came in between is among the known findings.
const FILES = 'specification/machinelearningservices/resource-manager/**/stable/2024-04-01/*.json';
const VERSION = '2024-04-01';
const SPOKEN = '2025-12-01';

class OpenApi {
  // `folder` holds `specification/..`, as Azure's public repository of specifications does.
  static async load(folder) {
    const failures = [];
    const options = {
      directory: folder,
      fileRoot: folder,
      git: { shouldClone: false },
      swaggerPathsPattern: [FILES],
      excludedSwaggerPathsPattern: [],
      loadValidatorInBackground: false,
      isArmCall: true,
    };
    const validator = new LiveValidator(options, (message, level) => level === 'error' && failures.push(message));
    await validator.initialize();
    if (failures.length > 0) throw new Error(`the specification cannot be read: ${failures.join('; ')}`);
    if (validator.swaggerList.length === 0) throw new Error(`${folder} holds no ${FILES}`);
    return new OpenApi(validator);
  }

  constructor(validator) {
    this.validator = validator;
  }

  // What is wrong with an exchange, and the operation that it is; `undefined` if it is none of Azure ML's.
  async check(exchange, spoken) {
    if (subject(exchange) !== PROVIDER) return undefined;
    const findings = [];
    const said = exchange.query['api-version'];
    if (said === undefined || (spoken && said !== spoken)) {
      findings.push({ side: 'request', code: 'API_VERSION', path: 'api-version', message: `it is ${said}` });
    }
    const query = { ...exchange.query, 'api-version': VERSION };
    const url = exchange.url.replace(/\?.*/s, `?${new URLSearchParams(query)}`);
    const request = { url, method: exchange.method, headers: exchange.headers, query: { ...query }, body: exchange.body };
    const { info, error } = this.validator.getOperationInfo(request);
    if (error) {
      findings.push({ side: 'request', code: 'NO_OPERATION', path: exchange.path, message: error.message });
      return { operation: undefined, findings };
    }
    const operation = info.operationId;
    findings.push(...this.#unknownParameters(query, info.operationMatch.operation));
    const results = { request: await this.validator.validateLiveRequest(request, { includeOperationMatch: true }, info) };
    if (exchange.reply) {
      const { status, headers, body } = exchange.reply;
      const reply = { statusCode: String(status), headers, body };
      results.reply = await this.validator.validateLiveResponse(reply, request, { includeOperationMatch: true }, info);
    }
    for (const [side, result] of Object.entries(results)) {
      if (result.runtimeException) throw new Error(`${exchange.name}: ${result.runtimeException.message}`);
      for (const { code, message, pathsInPayload } of result.errors) {
        for (const path of pathsInPayload.length > 0 ? pathsInPayload : ['']) findings.push({ side, code, path, message });
      }
    }
    return { operation, findings };
  }

  // Parameters that the operation does not have: the validator does not mind them.
  #unknownParameters(query, operation) {
    const parameters = [...(operation.parameters ?? []), ...(operation._path.parameters ?? [])];
    const known = parameters.map((parameter) => this.validator.loader.jsonLoader.resolveRefObj(parameter));
    const names = known.filter((parameter) => parameter.in === 'query').map((parameter) => parameter.name.toLowerCase());
    return Object.keys(query)
      .filter((name) => !names.includes(name.toLowerCase()))
      .map((name) => ({ side: 'request', code: 'UNKNOWN_PARAMETER', path: name, message: 'there is no such parameter' }));
  }
}

module.exports = { OpenApi, VERSION, SPOKEN };
