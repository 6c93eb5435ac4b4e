/** The completion script of bash. */
import type { ValueSpec } from '../command-line/spec.ts';
import { completedCommands, singleQuoted, spellings, type CompletedCommand } from './completed-command.ts';

/** Returns the script. It needs no bash-completion, and starts no process for a completion. */
export function bashScript(): string {
  const commands = completedCommands();
  const names = commands.map(({ name }) => name);
  return `# Completion of sluice for bash. In ~/.bashrc: source <(sluice completion bash)
_sluice_files() {
  local IFS=$'\\n'
  # Readline completes and quotes names of files. Before bash 4, compgen lists them.
  compopt -o default 2>/dev/null || COMPREPLY=($(compgen -f -- "$cur"))
}

# Offers folders and the files with one of the ends, or all files if there is none.
_sluice_files_of() {
  local IFS=$'\\n' end
  COMPREPLY=()
  for end; do COMPREPLY+=($(compgen -f -X "!*.$end" -- "$cur")); done
  COMPREPLY+=($(compgen -d -- "$cur"))
  if [[ \${#COMPREPLY[@]} -eq 0 ]]; then
    _sluice_files
  else
    compopt -o filenames 2>/dev/null || true
  fi
}

_sluice() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} command= i
  local IFS=$' \\t\\n'
  COMPREPLY=()
  # Bash splits --option=value at the equals sign.
  if [[ $cur == = ]]; then
    cur=
  elif [[ $prev == = ]]; then
    prev=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      ${names.join(' | ')})
        command=\${COMP_WORDS[i]}
        break
        ;;
    esac
  done
  case $command in
${commands.map(caseOf).join('\n')}
    *)
      COMPREPLY=($(compgen -W ${singleQuoted([...names, '--help', '--version'].join(' '))} -- "$cur"))
      ;;
  esac
}

complete -F _sluice sluice
`;
}

function caseOf({ name, options, operand }: CompletedCommand): string {
  const values = options.filter(({ value }) => value !== undefined);
  const all = options.flatMap(spellings).filter((spelling) => spelling.startsWith('--'));
  return [
    `    ${name})`,
    ...(values.length === 0
      ? []
      : [
          '      case $prev in',
          ...values.map(
            (option) => `        ${spellings(option).join(' | ')}) ${completionOf(option.value!)}; return ;;`,
          ),
          '      esac',
        ]),
    '      if [[ $cur == -* ]]; then',
    `        COMPREPLY=($(compgen -W ${singleQuoted(all.join(' '))} -- "$cur"))`,
    '      else',
    `        ${operand === null ? `COMPREPLY=($(compgen -W ${singleQuoted(all.join(' '))} -- "$cur"))` : completionOf(operand)}`,
    '      fi',
    '      ;;',
  ].join('\n');
}

function completionOf({ words, isFile, extensions }: ValueSpec): string {
  if (words !== undefined) {
    return `COMPREPLY=($(compgen -W ${singleQuoted(Object.keys(words).join(' '))} -- "$cur"))`;
  }
  if (extensions !== undefined) return `_sluice_files_of ${extensions.join(' ')}`;
  return isFile === true ? '_sluice_files' : ':';
}
