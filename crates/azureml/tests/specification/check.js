'use strict';
// `node check.js SPECIFICATIONS TRAFFIC TRACES` checks exchanges against Azure's specification: those of the client's tests, and those
// recorded of Microsoft's SDK, whose replies the tests are fed with. `cargo xtask azure-specification` calls it.

const { Check, conclude, load } = require('./checking');
const { traces, traffic } = require('./exchanges');
const KNOWN = require('./known');
const { SPOKEN } = require('./openapi');

async function main([given, trafficFolder, tracesFolder]) {
  if (!tracesFolder) throw new Error('usage: node check.js SPECIFICATIONS TRAFFIC TRACES');
  const { validators, names } = await load(given);
  const known = KNOWN.filter((entry) => names.includes(entry.against ?? 'openapi'));
  const used = new Map();
  const unknown = [
    ...(await new Check(validators, 'traffic').run(traffic(trafficFolder), known, used)),
    ...(await new Check(validators, 'traces').run(traces(tracesFolder), known, used)),
  ];
  console.log(`known findings (the client speaks ${SPOKEN}):`);
  conclude(known, used, unknown);
}

main(process.argv.slice(2)).catch((error) => {
  console.error(`azure specification: ${error.message}`);
  process.exitCode = 1;
});
