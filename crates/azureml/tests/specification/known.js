'use strict';
// Findings that are known, each with its reason. A finding that is not here fails the check, and so does an entry that nothing matches.
// The first entry that matches counts.
//
//   in       'traffic' of the client's tests or 'traces' of Microsoft's SDK
//   against  'openapi' (2024-04-01), 'arm schema' (2025-12-01) or 'operation status'
//   from     the test (`file::name`) or the trace
//   side, operation, code, path   as the finding is printed
//
// What an entry does not name may be anything.

const AFTER_2024_04_01 = ['idleTimeBeforeShutdown', 'enableSSO'];
const PREVIEW_ONLY = ['enableRootAccess', 'releaseQuotaOnStop', 'enableOSPatching'];

module.exports = [
  {
    against: 'openapi',
    side: 'request',
    operation: /^Compute_CreateOrUpdate$/,
    code: 'OBJECT_ADDITIONAL_PROPERTIES',
    path: new RegExp(`^/properties/properties/(${AFTER_2024_04_01.join('|')})$`),
    reason: 'fields of a compute instance that came after 2024-04-01; the JSON schema of 2025-12-01 knows them',
  },
  {
    in: 'traces',
    side: 'request',
    operation: /^Compute_CreateOrUpdate$/,
    code: /^(OBJECT_ADDITIONAL_PROPERTIES|additionalProperties)$/,
    path: new RegExp(`^/properties/properties/(${PREVIEW_ONLY.join('|')})$`),
    reason: 'fields of preview versions, which no stable one has; the client does not send them',
  },
  {
    against: 'openapi',
    side: 'reply',
    operation: /^Compute_(CreateOrUpdate|Get|List)$/,
    code: 'OBJECT_ADDITIONAL_PROPERTIES',
    path: new RegExp(`/properties/properties/(${[...AFTER_2024_04_01, ...PREVIEW_ONLY].join('|')})$`),
    reason: 'fields that came after 2024-04-01 or are in preview, in the traces; the client keeps what it does not know',
  },
  {
    against: 'openapi',
    side: 'reply',
    operation: /^Datastores_(Get|List)$/,
    code: 'OBJECT_MISSING_REQUIRED_PROPERTY',
    path: /\/properties\/credentials\/secrets$/,
    reason: 'secrets are write-only: the service does not give them back, whatever the specification requires',
  },
  {
    in: 'traces',
    side: 'request',
    operation: /^CodeVersions_CreateOrUpdate$/,
    code: /^(INVALID_TYPE|type)$/,
    path: /^\/properties\/properties\/hash_version$/,
    reason: 'the SDK sends a number where texts are asked for; the client sends a text',
  },
  {
    against: 'openapi',
    side: 'reply',
    operation: /^CodeVersions_/,
    code: 'INVALID_TYPE',
    path: /\/properties\/properties\/hash_version$/,
    reason: 'what the SDK sent, given back',
  },
  {
    against: 'openapi',
    side: 'reply',
    code: 'MINIMUM',
    path: /^\/headers\/retry-after$/,
    reason: 'the least time to wait is 10 s; nobody needs to wait for a recording',
  },
  {
    in: 'traffic',
    against: 'openapi',
    side: 'reply',
    code: /^(MISSING_RESOURCE_ID|OBJECT_MISSING_REQUIRED_PROPERTY)$/,
    reason: 'replies that tests make up lack what the tests are not about',
  },
  {
    in: 'traffic',
    against: 'openapi',
    from: /^((assets|downloads|faults|secrets|uploads)::|jobs::words_that_are_new)/,
    side: 'reply',
    reason: 'replies that make no sense on purpose, or say what no specification has',
  },
  {
    in: 'traffic',
    against: 'openapi',
    from: /^(faults|secrets)::pages/,
    side: 'request',
    code: /^(API_VERSION|NO_OPERATION|UNKNOWN_PARAMETER)$/,
    reason: 'a next page is asked for where the reply says, and these tests make that up',
  },
  {
    in: 'traffic',
    from: /^assets::tags_are_added_and_versions_archived_and_restored$/,
    side: 'request',
    operation: /^ModelVersions_CreateOrUpdate$/,
    path: /^\/properties\/unknown$/,
    reason: 'a field that nobody knows is written back as it came',
  },
  {
    in: 'traffic',
    against: 'arm schema',
    side: 'request',
    operation: /^ModelVersions_CreateOrUpdate$/,
    path: /^\/properties\/flavors\/[^/]+\/data$/,
    reason: 'the JSON schema wants a text where the OpenAPI of the same interface has the texts of a flavor',
  },
];
