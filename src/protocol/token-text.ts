/** A token as `createToken()` of `hosts/tokens.ts` makes it, wherever it stands in a text. */
const TOKEN = /vcargo_[A-Za-z0-9_-]{43}/

/** Whether there is a token of this registry's making in `text`. */
export function hasToken(text: string): boolean {
  return TOKEN.test(text)
}

/** `text` for a log: a token that somebody pasted where none belongs is not told. */
export function withoutTokens(text: string): string {
  return hasToken(text) ? text.replace(new RegExp(TOKEN, 'g'), 'vcargo_…') : text
}
