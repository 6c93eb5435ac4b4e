/** The Markdown of docs/reference/commands.md. */
import { format, resolveConfig } from 'prettier';
import { USAGE } from '../../bench/options/usage.ts';
import { COMMANDS } from '../../src/cli/arguments.ts';
import { usage } from '../../src/cli/usage.ts';

const BEGIN = '<!-- Made by npm run docs:reference. -->';

/** Returns the expected page: its hand-written text, and the help of every command. */
export async function commandsPage(page: string, file: string): Promise<string> {
  const [text = ''] = page.split(BEGIN);
  const helps = [
    ...COMMANDS.map((command) => [`sluice ${command}`, usage(command)] as const),
    ['sluice bench', USAGE] as const,
  ];
  const parts = [text.trimEnd(), BEGIN, '## sluice', block(usage(null))];
  for (const [title, help] of helps) parts.push(`## ${title}`, block(help));
  return format(parts.join('\n\n'), { ...(await resolveConfig(file)), parser: 'markdown' });
}

function block(text: string): string {
  return `\`\`\`text\n${text.trimEnd()}\n\`\`\``;
}
