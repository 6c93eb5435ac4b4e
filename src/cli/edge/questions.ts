/** The five questions of `sluice init`. */
import { StartError, UsageError } from '../../core/errors.ts';
import type { CommandOptions } from '../arguments.ts';
import { DEFAULT_LISTEN, parseHost } from './edge-plan.ts';
import { PEM_CHECKS } from './key-pair.ts';
import { parseListen, parseTarget } from './target.ts';

type Answers = Pick<CommandOptions, 'flags' | 'lists' | 'operands'>;

/** Prints a question and resolves with the line that the user enters. */
type Ask = (question: string) => Promise<string>;

export const DEFAULT_TARGET = '3000';
const TLS_LISTEN = ':443';

/**
 * Asks what the arguments leave open, and returns the arguments with the answers. An answer that is not valid
 * is asked for again, after its problem.
 *
 * @throws StartError if an argument names a certificate that cannot be used: its key is not asked for
 */
export async function askOpen(
  given: Answers,
  ask: Ask,
  tell: (problem: string) => void,
  pem = PEM_CHECKS,
): Promise<Answers> {
  const flags = new Map(given.flags);
  let { operands } = given;
  const until = async (question: string, check: (answer: string) => void): Promise<string> => {
    for (;;) {
      const answer = (await ask(`${question} `)).trim();
      try {
        check(answer);
        return answer;
      } catch (error) {
        if (!(error instanceof UsageError || error instanceof StartError)) throw error;
        tell(error.message.replace(/^--\w+: /, ''));
      }
    }
  };
  const optional = async (name: string, question: string, check: (answer: string) => void): Promise<void> => {
    if (flags.has(name)) return;
    const answer = await until(question, (text) => {
      if (text !== '') check(text);
    });
    if (answer !== '') flags.set(name, answer);
  };

  const givenCert = flags.get('cert');
  if (givenCert !== undefined && !flags.has('key')) pem.certificate(givenCert);
  if (operands.length === 0) {
    const question = `Port or address of your server? [${DEFAULT_TARGET}]`;
    const answer = await until(question, checkTargets);
    operands = targetsOr(answer);
  }
  await optional('host', 'Public host name, such as chat.example.com? [any]', (text) => void parseHost(text));
  await optional('cert', 'TLS certificate (a PEM file)? [no TLS]', pem.certificate);
  const cert = flags.get('cert');
  if (cert !== undefined && !flags.has('key')) {
    const key = await until('Its private key (a PEM file)?', (text) => {
      if (text === '') throw new UsageError('a certificate needs its key');
      pem.key(text, cert);
    });
    flags.set('key', key);
  }
  const listen = defaultListen(flags);
  if (!flags.has('listen')) {
    const check = (text: string): void => {
      if (text !== '') parseListen('address', text);
    };
    const answer = await until(`Address for clients? [${listen}]`, check);
    // A port alone is a port of the default: with TLS, clients come from other machines.
    if (answer !== '')
      flags.set('listen', /^\d+$/.test(answer) && listen === TLS_LISTEN ? `:${answer}` : answer);
  }
  if (!flags.has('no-token')) {
    const answer = await until('Make a token for commands such as sluice reload? [Y/n]', checkYesOrNo);
    if (/^n/i.test(answer)) flags.set('no-token', '');
  }
  return { flags, lists: given.lists, operands };
}

/** Returns the address that clients are expected to use: the port of HTTPS with a certificate. */
export function defaultListen(flags: ReadonlyMap<string, string>): string {
  return flags.has('cert') ? TLS_LISTEN : DEFAULT_LISTEN;
}

function targetsOr(answer: string): string[] {
  return answer === '' ? [DEFAULT_TARGET] : answer.split(/[\s,]+/);
}

function checkTargets(answer: string): void {
  for (const target of targetsOr(answer)) parseTarget(target);
}

function checkYesOrNo(answer: string): void {
  if (!/^(?:y|yes|n|no)?$/i.test(answer)) throw new UsageError('write y or n');
}
