import { randomBytes } from 'node:crypto'
import { gunzipSync } from 'node:zlib'

/** A secret that is recognised wherever it turns up. */
export interface Canary {
  readonly title: string
  readonly text: string
}

/** A place where secrets must not be; each byte is one character. */
export interface Sink {
  readonly title: string
  readonly text: string
  /** Titles of secrets that belong here. */
  readonly mayHave?: readonly string[]
}

/** A secret that nobody would write by chance. */
export function canary(title: string): Canary {
  return { title, text: `canary${randomBytes(18).toString('hex')}` }
}

/** Every secret in every place, in whatever form, one phrase each. */
export function leaks(sinks: readonly Sink[], canaries: readonly Canary[]): readonly string[] {
  const forms = canaries.flatMap(({ title, text }) => formsOf(text).map((form) => ({ title, ...form })))
  return sinks.flatMap((sink) => {
    const text = sink.text + unpacked(sink.text)
    return forms
      .filter(({ title }) => sink.mayHave?.includes(title) !== true)
      .filter(({ needle }) => text.includes(needle))
      .map(({ title, form, needle }) => `${title}, ${form}: ${sink.title}: …${around(text, needle)}…`)
  })
}

/** The secret itself, and what base64 makes of it wherever it stands in a longer text: that is Basic, too. */
function formsOf(text: string): readonly { readonly form: string; readonly needle: string }[] {
  const shifted = [0, 1, 2].map((before) => {
    const encoded = Buffer.from(' '.repeat(before) + text).toString('base64')
    // The first and the last letters depend on what stands beside.
    return { form: `in base64, ${before} bytes in`, needle: encoded.slice(4, -4) }
  })
  return [
    { form: 'as it is', needle: text },
    { form: 'in hex', needle: Buffer.from(text).toString('hex') },
    { form: 'backwards', needle: [...text].reverse().join('') },
    ...shifted,
    ...shifted.map(({ form, needle }) => ({
      form: `${form}, for URLs`,
      needle: needle.replaceAll('+', '-').replaceAll('/', '_'),
    })),
  ]
}

function unpacked(text: string): string {
  if (!text.startsWith('\u001f\u008b')) return ''
  try {
    return gunzipSync(Buffer.from(text, 'latin1')).toString('latin1')
  } catch {
    return ''
  }
}

function around(text: string, needle: string): string {
  const at = text.indexOf(needle)
  return JSON.stringify(text.slice(Math.max(0, at - 60), at + 20))
}
