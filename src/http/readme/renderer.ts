import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Logger } from '../../host.ts'
import { singleFlight } from '../../registry/single-flight.ts'
import { type Html, html, markupOf, trusted } from '../pages/html.ts'
import { createMarkdownThread } from './markdown-thread.ts'

/** Longer READMEs are cut: what is further down is read in the repository. */
export const MAX_README = 256 * 1024
/** A README takes milliseconds; the worst that can be written in that length takes a second or two. */
const LIMIT_MS = 3000
const MAX_KEPT_CHARACTERS = 16 * 1024 * 1024
/** Another try may succeed, but not at every look at the page. */
const PLAIN_KEPT_MS = 10 * 60_000

/** READMEs as markup that is safe to show; rendered ones are kept. */
export interface ReadmeRenderer {
  /** Never fails: what cannot be rendered in time is shown as it was written. */
  render(text: string, base: string | undefined): Promise<Html>
  close(): Promise<void>
}

/** Renders in a thread of its own, which starts with the first README; a text may take `limitMs`. */
export function createReadmeRenderer(logger: Logger, limitMs: number = LIMIT_MS): ReadmeRenderer {
  const thread = createMarkdownThread(limitMs)
  const flights = singleFlight<Html>()
  const kept = new LRUCache<string, Html>({
    maxSize: MAX_KEPT_CHARACTERS,
    sizeCalculation: (page) => markupOf(page).length + 1,
  })

  async function make(key: string, text: string, base: string | undefined): Promise<Html> {
    const start = beginningOf(text)
    const cut =
      start.length < text.length &&
      html`<p class="note">This is the beginning of a README that is longer.</p>`
    try {
      const page = html`${trusted(await thread.run({ text: start, base }))}${cut}`
      kept.set(key, page)
      return page
    } catch (error) {
      logger.warn(
        { cause: error instanceof Error ? error.message : String(error) },
        'a README is shown as plain text',
      )
      const page = html`<pre class="plain" tabindex="0">${start}</pre>${cut}`
      kept.set(key, page, { ttl: PLAIN_KEPT_MS })
      return page
    }
  }

  return {
    async render(text, base) {
      const key = createHash('sha256')
        .update(`${base ?? ''}\n`)
        .update(text)
        .digest('base64')
      return kept.get(key) ?? flights.run(key, () => make(key, text, base))
    },
    close: () => thread.stop(),
  }
}

/** Whole lines, as far as there are any. */
function beginningOf(text: string): string {
  if (text.length <= MAX_README) return text
  const end = text.lastIndexOf('\n', MAX_README)
  return text.slice(0, end > 0 ? end : MAX_README).toWellFormed()
}
