import type { AccessRefusalReason, Refused } from '../../contract/credential-method.ts';

/** Problems of tokens: the reason for metrics, and the text for the client and the log. */
const PROBLEMS = {
  missing: ['no_credential', 'a token is required'],
  repeated: ['token_malformed', 'more than one token in a header'],
  long: ['token_malformed', 'the token is too long'],
  parts: ['token_malformed', 'the token does not have three parts of base64url'],
  encrypted: ['token_malformed', 'encrypted tokens are not accepted'],
  header: ['token_malformed', 'the header of the token is not a JSON object'],
  headerNames: ['token_malformed', 'the header of the token has a duplicate name'],
  claims: ['token_malformed', 'the claims of the token are not a JSON object'],
  claimNames: ['token_malformed', 'the token has a duplicate claim'],
  nested: ['token_malformed', 'nested tokens are not accepted'],
  critical: ['token_malformed', 'the token requires an unknown extension'],
  keyName: ['token_malformed', 'the key name of the token is malformed'],
  dates: ['token_malformed', 'a date of the token is malformed'],
  algorithm: ['token_algorithm', 'the algorithm of the token is not accepted'],
  key: ['token_key', 'the key of the token is unknown'],
  signature: ['token_signature', 'the signature of the token is wrong'],
  expired: ['token_expired', 'the token has expired'],
  early: ['token_early', 'the token is not valid yet'],
  issuer: ['token_issuer', 'the issuer of the token is not accepted'],
  audience: ['token_audience', 'the token is for another audience'],
  subject: ['token_claim', 'the token has no usable subject'],
  forward: ['token_claim', 'a claim of the token cannot be a header'],
  required: ['token_claim', 'the token lacks a required claim'],
  revoked: ['revoked', 'the token has been revoked'],
  keySet: ['keys_unavailable', 'the keys for tokens are not available'],
} as const satisfies Readonly<Record<string, readonly [AccessRefusalReason, string]>>;

export type TokenProblem = keyof typeof PROBLEMS;

/** RFC 6750 section 3 requires a parameter in every challenge. */
const REALM = 'Bearer realm="sluice"';
/** Retry-After if the key set is unavailable. A failed fetch is retried after some seconds. */
const RETRY_AFTER_SECONDS = 5;

const REFUSALS = new Map<TokenProblem, Refused>(
  Object.keys(PROBLEMS).map((name) => [name as TokenProblem, make(name as TokenProblem)]),
);

/** Returns the refusal for a token's problem (RFC 6750 section 3). */
export function refusalOf(problem: TokenProblem): Refused {
  return REFUSALS.get(problem)!;
}

function make(problem: TokenProblem): Refused {
  const [reason, detail] = PROBLEMS[problem];
  const refused = { granted: false, reason, detail, body: null } as const;
  if (problem === 'keySet')
    return { ...refused, status: 503, headers: [['retry-after', `${RETRY_AFTER_SECONDS}`]] };
  let challenge = REALM;
  // The token is valid, and another token of the same user would not help: 403.
  const isForbidden = problem === 'required';
  if (problem !== 'missing') {
    challenge += `, error="${isForbidden ? 'insufficient_scope' : 'invalid_token'}", error_description="${detail}"`;
  }
  return { ...refused, status: isForbidden ? 403 : 401, headers: [['www-authenticate', challenge]] };
}
