import { type Html, html } from './html.ts'

/** Sentences of ours, in which backticks are around values. */
export function prose(text: string): Html {
  const parts = text.split('`')
  // Without a partner the last backtick is one.
  const pairs = parts.length - (parts.length % 2 === 0 ? 1 : 0)
  return html`${parts.map((part, i) => {
    if (i >= pairs) return `\`${part}`
    return i % 2 === 1 ? html`<code>${part}</code>` : part
  })}`
}
