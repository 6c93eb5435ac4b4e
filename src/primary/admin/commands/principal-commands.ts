import { PAGE_LIMIT } from '../../../protocol/admin/command-parameters.ts';
import { MAX_PRINCIPAL_BYTES, rowOf } from '../../access/revocations/revocation-codec.ts';
import type { RevocationService } from '../../access/revocations/revocation-service.ts';
import type { AdminCommand, CommandResult } from './admin-command.ts';
import { ParameterError, parameterOf, refuseUnknownParameters } from './parameters.ts';
import { closedText, missingAnswers, withIncomplete } from './session-commands.ts';

type Revocations = Pick<RevocationService, 'all' | 'revoke' | 'undo'>;

const DEFAULT_LIMIT = 100;

/** Returns the commands that revoke principals, and list the revocations. */
export function principalCommands(revocations: Revocations): readonly AdminCommand[] {
  const path = '/principals/NAME/revoke';
  return [
    { method: 'GET', path: '/principals', run: (_args, query) => list(revocations, query) },
    { path, run: ([name = ''], query) => revoke(revocations, name, query) },
    { method: 'DELETE', path, run: ([name = ''], query) => undo(revocations, name, query) },
  ];
}

/** Lists revocations by principal, one page at a time. */
function list(revocations: Revocations, query: URLSearchParams): CommandResult {
  refuseUnknownParameters(query, ['limit', 'after']);
  const limit = parameterOf(query, 'limit', PAGE_LIMIT) ?? DEFAULT_LIMIT;
  const after = query.get('after');
  const { all } = revocations;
  const behind = all.filter(({ principal }) => after === null || principal > after);
  const page = behind.sort((one, other) => (one.principal < other.principal ? -1 : 1)).slice(0, limit);
  const next = behind.length > limit ? (page.at(-1)?.principal ?? null) : null;
  return {
    status: 200,
    message: `${page.length} of ${all.length} revocations in force`,
    fields: { total: all.length, revocations: page.map(rowOf), next },
  };
}

async function revoke(
  revocations: Revocations,
  name: string,
  query: URLSearchParams,
): Promise<CommandResult> {
  refuseUnknownParameters(query, []);
  if (Buffer.byteLength(name) > MAX_PRINCIPAL_BYTES) {
    throw new ParameterError(`the name is too long: write at most ${MAX_PRINCIPAL_BYTES} bytes`);
  }
  const { revocation, closed, incomplete } = await revocations.revoke(name);
  const row = rowOf(revocation);
  return {
    status: 200,
    message: `${name} revoked until ${row.until}, ${closedText(closed)}${missingAnswers(incomplete)}`,
    fields: withIncomplete({ ...row, closed, incomplete }),
    logged: { closed },
  };
}

async function undo(revocations: Revocations, name: string, query: URLSearchParams): Promise<CommandResult> {
  refuseUnknownParameters(query, []);
  if (await revocations.undo(name)) return { status: 200, message: `${name} is no longer revoked` };
  return { status: 404, message: `${name} is not revoked: GET /principals lists the revocations` };
}
