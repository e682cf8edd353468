'use strict';
// Findings that are known, each with its reason. A finding that is not here fails the check, and so does an entry that nothing matches.
//
//   in       where it is met: 'traffic' of the client's tests, 'traces' of Microsoft's SDK, or both
//   against  'openapi' (2024-04-01), 'arm schema' (2025-12-01) or 'operation status'; any, if it is missing
//   from     the test (`file::name`) or the trace; any, if it is missing
//   side, operation, code, path   as the finding is printed; any, if missing

const AFTER_2024_04_01 = ['idleTimeBeforeShutdown', 'enableSSO'];
const PREVIEW_ONLY = ['enableRootAccess', 'releaseQuotaOnStop', 'enableOSPatching'];

module.exports = [
  {
    in: ['traffic', 'traces'],
    against: 'openapi',
    side: 'request',
    operation: /^Compute_CreateOrUpdate$/,
    code: 'OBJECT_ADDITIONAL_PROPERTIES',
    path: new RegExp(`^/properties/properties/(${AFTER_2024_04_01.join('|')})$`),
    reason: 'fields of a compute instance that came after 2024-04-01; the JSON schema of 2025-12-01 knows them',
  },
  {
    in: ['traces'],
    side: 'request',
    operation: /^Compute_CreateOrUpdate$/,
    code: /^(OBJECT_ADDITIONAL_PROPERTIES|additionalProperties)$/,
    path: new RegExp(`^/properties/properties/(${PREVIEW_ONLY.join('|')})$`),
    reason: 'fields of preview versions, which no stable one has; the client does not send them',
  },
  {
    in: ['traffic', 'traces'],
    against: 'openapi',
    side: 'reply',
    operation: /^Compute_(CreateOrUpdate|Get|List)$/,
    code: 'OBJECT_ADDITIONAL_PROPERTIES',
    path: new RegExp(`/properties/properties/(${[...AFTER_2024_04_01, ...PREVIEW_ONLY].join('|')})$`),
    reason: 'fields that came after 2024-04-01 or are in preview, in the traces; the client keeps what it does not know',
  },
  {
    in: ['traffic', 'traces'],
    against: 'openapi',
    side: 'reply',
    operation: /^Datastores_(Get|List)$/,
    code: 'OBJECT_MISSING_REQUIRED_PROPERTY',
    path: /\/properties\/credentials\/secrets$/,
    reason: 'secrets are write-only: the service does not give them back, whatever the specification requires',
  },
  {
    in: ['traces'],
    side: 'request',
    operation: /^CodeVersions_CreateOrUpdate$/,
    code: /^(INVALID_TYPE|type)$/,
    path: /^\/properties\/properties\/hash_version$/,
    reason: 'the SDK sends a number where texts are asked for; the client sends a text',
  },
  {
    in: ['traffic', 'traces'],
    against: 'openapi',
    side: 'reply',
    operation: /^CodeVersions_/,
    code: 'INVALID_TYPE',
    path: /\/properties\/properties\/hash_version$/,
    reason: 'what the SDK sent, given back',
  },
  {
    in: ['traffic', 'traces'],
    against: 'openapi',
    side: 'reply',
    code: 'MINIMUM',
    path: /^\/headers\/retry-after$/,
    reason: 'the least time to wait is 10 s; nobody needs to wait for a recording',
  },
  {
    in: ['traffic'],
    against: 'openapi',
    from: /^(faults|secrets|hostile_input|job_logs)::/,
    side: 'reply',
    reason: 'the replies of these tests are cut down to what they are about, or make no sense on purpose',
  },
  {
    in: ['traffic'],
    against: 'openapi',
    from: /^(faults|secrets)::pages|^hostile_input::/,
    side: 'request',
    code: /^(API_VERSION|NO_OPERATION|UNKNOWN_PARAMETER)$/,
    reason: 'a next page is asked for where the reply says, and these tests make that up',
  },
  {
    in: ['traffic'],
    against: 'openapi',
    from: /^(batch_endpoints|costs|endpoint_client|jobs|asset_traces)::/,
    side: 'reply',
    code: /^(MISSING_RESOURCE_ID|OBJECT_MISSING_REQUIRED_PROPERTY|DISCRIMINATOR_VALUE_NOT_FOUND)$/,
    reason: 'replies cut down to what these tests are about; and a kind of job that nobody knows, on purpose',
  },
  {
    in: ['traffic'],
    against: 'arm schema',
    side: 'request',
    operation: /^ModelVersions_CreateOrUpdate$/,
    path: /^\/properties\/flavors\/[^/]+\/data$/,
    reason: 'the JSON schema wants a text where the OpenAPI of the same interface has the texts of a flavor',
  },
];
