'use strict';
// Holds exchanges against Azure's specification, and findings against those that are known.

const fs = require('node:fs');
const path = require('node:path');
const { ArmSchema, VERSION: ARM_VERSION } = require('./arm_schema');
const controls = require('./controls');
const { subject } = require('./exchanges');
const { OpenApi, SPOKEN, VERSION } = require('./openapi');
const { OperationStatus } = require('./operation_status');

function count(counts, key) {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function listed(counts) {
  const sorted = [...counts].sort(([one], [other]) => one.localeCompare(other));
  return sorted.map(([key, number]) => `${key} ${number}`).join(', ') || 'nothing';
}

// The folder that holds `specification/..`, and the one with the JSON schemas: the same, or the one above it.
function folders(given) {
  const root = [given, path.join(given, 'rest-api-specs')].find((folder) => fs.existsSync(path.join(folder, 'specification')));
  if (!root) throw new Error(`${given} holds no folder specification`);
  return { root, schemas: [given, path.dirname(root)] };
}

function matches(entry, finding) {
  const fits = (rule, value) => rule === undefined || (rule instanceof RegExp ? rule.test(value ?? '') : rule === value);
  return ['in', 'against', 'from', 'side', 'operation', 'code', 'path'].every((field) => fits(entry[field], finding[field]));
}

class Check {
  constructor(validators, mode) {
    Object.assign(this, { ...validators, mode });
    this.operations = new Map();
    this.uncovered = new Map();
    this.counts = { requests: 0, replies: 0, bodies: 0, statuses: 0 };
  }

  // All findings of one exchange.
  async findings(exchange) {
    const spoken = this.mode === 'traffic' ? SPOKEN : undefined;
    const found = await this.openApi.check(exchange, spoken);
    const ofBody = this.armSchema?.check(exchange);
    const ofStatus = this.operationStatus.check(exchange);
    if (found) {
      count(this.operations, found.operation ?? 'no operation');
      this.counts.requests += 1;
      this.counts.replies += exchange.reply ? 1 : 0;
    } else if (!ofStatus) {
      count(this.uncovered, subject(exchange));
    }
    this.counts.bodies += ofBody ? 1 : 0;
    this.counts.statuses += ofStatus ? 1 : 0;
    const all = [['openapi', found?.findings ?? []], ['arm schema', ofBody ?? []], ['operation status', ofStatus ?? []]];
    return all.flatMap(([against, findings]) =>
      findings.map((finding) => ({ in: this.mode, against, from: exchange.name, operation: found?.operation, ...finding })));
  }

  // Checks all, and keeps apart what is known and what is not.
  async run(exchanges, known, used) {
    const unknown = [];
    let clean = 0;
    for (const exchange of exchanges) {
      const findings = await this.findings(exchange);
      if (findings.length === 0) clean += 1;
      for (const finding of findings) {
        const entry = known.find((candidate) => matches(candidate, finding));
        if (entry) count(used, entry);
        else unknown.push(finding);
      }
    }
    clean -= [...this.uncovered.values()].reduce((sum, number) => sum + number, 0);
    const { requests, replies, bodies, statuses } = this.counts;
    if (requests === 0) throw new Error(`there is nothing to check in the ${this.mode}`);
    console.log(`the ${this.mode}: ${exchanges.length} exchanges`);
    console.log(`  ${requests} requests and ${replies} replies against OpenAPI ${VERSION}` +
      (this.armSchema ? `, ${bodies} bodies against the JSON schema ${ARM_VERSION}` : ' (there is no JSON schema)') +
      `, ${statuses} statuses of operations: ${clean} exchanges without any finding`);
    console.log(`  operations: ${listed(this.operations)}`);
    console.log(`  not covered: ${listed(this.uncovered)}`);
    return unknown;
  }
}

// What exchanges are held against, by the folder with the specifications. Controls show that mistakes are found at all.
async function load(given) {
  const { root, schemas } = folders(given);
  const validators = {
    openApi: await OpenApi.load(root),
    armSchema: schemas.map((schema) => ArmSchema.load(schema)).find(Boolean),
    operationStatus: OperationStatus.load(root),
  };
  const names = ['openapi', 'operation status', ...(validators.armSchema ? ['arm schema'] : [])];
  const ofControls = new Check(validators, 'traffic');
  const caught = await controls.run((exchange) => ofControls.findings(exchange), SPOKEN, names);
  console.log(`controls: ${caught} mistakes found of ${caught}`);
  return { validators, names };
}

// Prints what is known and what is not; throws if anything is not known, or known and not met.
function conclude(known, used, unknown) {
  for (const [entry, number] of used) console.log(`  ${number}: ${entry.reason}`);
  for (const { from, against, side, operation, code, path: place, message } of unknown) {
    console.log(`NOT KNOWN: ${from}: ${against}, ${side} of ${operation}: ${code} ${place}: ${message}`);
  }
  const unused = known.filter((entry) => !used.has(entry));
  for (const { code, path: place, reason } of unused) console.log(`NOT MET: ${code ?? ''} ${place ?? ''} (${reason})`);
  if (unknown.length + unused.length > 0) {
    throw new Error(`${unknown.length} findings that are not known, ${unused.length} known ones not met`);
  }
}

module.exports = { Check, load, conclude };
