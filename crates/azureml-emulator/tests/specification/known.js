'use strict';
// Findings in the emulator's answers that are known, each with its reason, in the form of those of the client. A finding that is not here
// fails the check, and so does an entry that nothing matches.

module.exports = [
];
