/** An address that a page may lead to: http or https, whole, of reasonable length; `undefined` for anything else. */
export function safeUrl(text: string | undefined): URL | undefined {
  if (text === undefined || text.length > MAX_URL || !/^https?:\/\//i.test(text)) return undefined
  const url = URL.canParse(text) ? new URL(text) : undefined
  // A name and password before the host only serve to deceive.
  return url?.username === '' && url.password === '' ? url : undefined
}

/** Longer ones are data, not addresses. */
const MAX_URL = 2000
