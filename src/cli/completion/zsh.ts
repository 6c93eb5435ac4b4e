/** The completion script of zsh. */
import type { OptionSpec, ValueSpec } from '../command-line/spec.ts';
import { completedCommands, singleQuoted, spellings, type CompletedCommand } from './completed-command.ts';

/** Returns the script, for a folder of `fpath` or for `source`. */
export function zshScript(): string {
  const commands = completedCommands();
  const descriptions = commands.map(({ name, summary }) => singleQuoted(`${name}:${summary}`));
  return `#compdef sluice
# Completion of sluice for zsh. In ~/.zshrc, after compinit: source <(sluice completion zsh)
_sluice() {
  local context state state_descr line
  typeset -A opt_args
  _arguments -C '(- *)'{-h,--help}'[explain sluice]' '(- *)'{-V,--version}'[print the version]' \\
    '1: :->command' '*:: :->arguments'
  case $state in
    command)
      local -a commands=(
${descriptions.map((text) => `        ${text}`).join('\n')}
      )
      _describe command commands
      ;;
    arguments)
      case $words[1] in
${commands.map(caseOf).join('\n')}
      esac
      ;;
  esac
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _sluice "$@"
else
  compdef _sluice sluice
fi
`;
}

function caseOf({ name, options, operand }: CompletedCommand): string {
  const specs = [
    ...options.map(optionSpec),
    ...(operand === null ? [] : [singleQuoted(`*:${operand.name}:${actionOf(operand)}`)]),
  ];
  return `        ${name})
          _arguments \\
${specs.map((spec) => `            ${spec}`).join(' \\\n')}
          ;;`;
}

/** Returns an argument of `_arguments`, such as `'*'{-c,--config}'[help]:FILE:_files'`. */
function optionSpec(option: OptionSpec): string {
  const { help, value, isRepeatable } = option;
  const names = spellings(option);
  const all = names.length === 1 ? names[0]! : `{${names.join(',')}}`;
  const prefix = isRepeatable === true ? "'*'" : singleQuoted(`(${names.join(' ')})`);
  const suffix = value === undefined ? '' : `:${value.name}:${actionOf(value)}`;
  return `${prefix}${all}${singleQuoted(`[${escaped(help)}]${suffix}`)}`;
}

function actionOf({ words, isFile, extensions }: ValueSpec): string {
  if (words !== undefined) return `(${Object.keys(words).join(' ')})`;
  // Without a match, _files offers all files.
  if (extensions !== undefined) return `_files -g "*.(${extensions.join('|')})"`;
  return isFile === true ? '_files' : ' ';
}

/** Escapes the characters that end a description in `_arguments`. */
function escaped(text: string): string {
  return text.replaceAll(/[\\[\]:]/g, String.raw`\$&`);
}
