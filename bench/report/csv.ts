/** A value that JSON can hold. */
export type PlainValue =
  string | number | boolean | null | readonly PlainValue[] | { readonly [name: string]: PlainValue };

/** Formats plain data as two lines of CSV (RFC 4180): the names, with dots for nesting, and the values. */
export function renderCsv(record: PlainValue): string {
  const names: string[] = [];
  const values: string[] = [];
  const add = (name: string, value: PlainValue): void => {
    if (Array.isArray(value)) {
      add(
        name,
        value.map((item) => (typeof item === 'object' ? JSON.stringify(item) : String(item))).join(' '),
      );
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) add(name === '' ? key : `${name}.${key}`, inner);
    } else {
      names.push(quote(name));
      values.push(quote(value === null ? '' : String(value)));
    }
  };
  add('', record);
  return `${names.join(',')}\r\n${values.join(',')}\r\n`;
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
