'use strict';
// What is said of how an operation gets on. Its address is of Azure's choice and in no specification, but what is there is.

const fs = require('node:fs');
const path = require('node:path');
const Ajv = require('ajv');
const { closed, findings } = require('./arm_schema');
const { STATUS, subject } = require('./exchanges');

const FILE = 'specification/common-types/resource-management/v3/types.json';

class OperationStatus {
  static load(folder) {
    return new OperationStatus(JSON.parse(fs.readFileSync(path.join(folder, FILE), 'utf8')));
  }

  constructor({ definitions }) {
    const ajv = new Ajv({ unknownFormats: 'ignore', allErrors: true });
    this.validate = ajv.compile({ definitions: closed(definitions), $ref: '#/definitions/OperationStatusResult' });
  }

  // What is wrong with a reply; `undefined` if it is another one, or without a body, as those of a `Location` are.
  check(exchange) {
    if (subject(exchange) !== STATUS || exchange.reply?.status !== 200 || exchange.reply.body === undefined) return undefined;
    this.validate(exchange.reply.body);
    return findings('reply', this.validate.errors);
  }
}

module.exports = { OperationStatus };
