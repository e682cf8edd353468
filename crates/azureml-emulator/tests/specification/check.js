'use strict';
// `node check.js SPECIFICATIONS RECORDINGS` checks what the emulator answers in its tests against Azure's specification.
// `cargo xtask azure-specification` calls it.

const { Check, conclude, load } = require('../../../azureml/tests/specification/checking');
const { recordings } = require('../../../azureml/tests/specification/exchanges');
const KNOWN = require('./known');

// What clients ask is their affair: tests ask for much that is wrong, to see it refused. An answer of 501 says that the emulator has not
// what Azure has, and no specification knows that.
class Answers extends Check {
  async findings(exchange) {
    const findings = await super.findings(exchange);
    return exchange.reply.status === 501 ? [] : findings.filter(({ side }) => side === 'reply');
  }
}

async function main([given, folder]) {
  if (!folder) throw new Error('usage: node check.js SPECIFICATIONS RECORDINGS');
  const { validators, names } = await load(given);
  const known = KNOWN.filter((entry) => names.includes(entry.against ?? 'openapi'));
  const used = new Map();
  const unknown = await new Answers(validators, 'recordings').run(recordings(folder), known, used);
  console.log('known findings in what the emulator answers:');
  conclude(known, used, unknown);
}

main(process.argv.slice(2)).catch((error) => {
  console.error(`azure specification of the emulator: ${error.message}`);
  process.exitCode = 1;
});
