'use strict';
// Findings in the emulator's answers that are known, each with its reason, in the form of those of the client. A finding that is not here
// fails the check, and so does an entry that nothing matches.

module.exports = [
  {
    against: 'openapi',
    operation: /^Compute_(CreateOrUpdate|Get|List)$/,
    code: 'OBJECT_ADDITIONAL_PROPERTIES',
    path: /\/properties\/properties\/(idleTimeBeforeShutdown|enableSSO)$/,
    reason: 'fields of a compute instance that came after 2024-04-01, given back as they were sent',
  },
  {
    against: 'openapi',
    operation: /^Compute_(CreateOrUpdate|Get|List)$/,
    code: 'OBJECT_ADDITIONAL_PROPERTIES',
    path: /\/properties\/properties\/(enableRootAccess|releaseQuotaOnStop|enableOSPatching)$/,
    reason: 'fields of preview versions that the SDK sends, given back',
  },
  {
    against: 'openapi',
    from: /^rules\./,
    operation: /^Compute_(CreateOrUpdate|Get)$/,
    code: 'OBJECT_ADDITIONAL_PROPERTIES',
    path: /\/properties\/properties\/somethingNew$/,
    reason: 'a field that nobody knows, which a test sends to see it given back',
  },
  {
    against: 'openapi',
    from: /^hostile_input\./,
    operation: /^Workspaces_CreateOrUpdate$/,
    code: 'OBJECT_ADDITIONAL_PROPERTIES',
    reason: 'fields of something else, which a test sends to see what happens, given back',
  },
  {
    against: 'openapi',
    operation: /^Datastores_(Get|List)$/,
    code: 'OBJECT_MISSING_REQUIRED_PROPERTY',
    path: /\/properties\/credentials\/secrets$/,
    reason: 'secrets are write-only: the service does not give them back, whatever the specification requires',
  },
  {
    against: 'openapi',
    operation: /^CodeVersions_/,
    code: 'INVALID_TYPE',
    path: /\/properties\/properties\/hash_version$/,
    reason: 'the SDK sends a number where a text is asked for, and is given it back',
  },
  {
    against: 'openapi',
    operation: /^Jobs_(CreateOrUpdate|Get|List)$/,
    code: 'OBJECT_ADDITIONAL_PROPERTIES',
    path: /\/properties\/outputs\/[^/]+\/asset(Name|Version)$/,
    reason: 'fields of outputs that came after 2024-04-01',
  },
  {
    against: 'openapi',
    operation: /^Jobs_(CreateOrUpdate|Get|List)$/,
    code: 'INVALID_TYPE',
    path: /\/properties\/tags\/(x|version|a)$/,
    reason: 'tags that are numbers, as the SDK may send them, are given back as they were sent',
  },
  {
    against: 'openapi',
    code: 'MINIMUM',
    path: /^\/headers\/retry-after$/,
    reason: 'the least time to wait is 10 s in Azure, where operations take minutes; here they take seconds',
  },
];
