const MARKUP = Symbol('markup')

/** Markup that may be sent as it is; only {@link html} and {@link trusted} make it. */
export interface Html {
  readonly [MARKUP]: string
}

/** What a template takes: text and numbers are escaped, lists are joined, nothing is left out. */
export type HtmlValue = string | number | Html | undefined | false | readonly HtmlValue[]

/** A template whose values are text unless they are {@link Html} themselves. Attributes must be in double quotes. */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  const [first = '', ...rest] = parts
  return trusted(first + rest.map((part, i) => render(values[i]) + part).join(''))
}

/** Takes markup at its word: for what a sanitizer made. */
export function trusted(markup: string): Html {
  return { [MARKUP]: markup }
}

/** The markup as text, to be sent. */
export function markupOf(page: Html): string {
  return page[MARKUP]
}

function render(value: HtmlValue): string {
  if (value === undefined || value === false) return ''
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return escapeHtml(value)
  if (isList(value)) return value.map(render).join('')
  return value[MARKUP]
}

/** `Array.isArray` does not know of read-only arrays. */
function isList(value: Html | readonly HtmlValue[]): value is readonly HtmlValue[] {
  return Array.isArray(value)
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (char) => `&#${char.charCodeAt(0)};`)
}
