import type { CargoEvent } from '../host.ts'

/** Receivers need not take more, by the specification; more than this is a `detail` of thousands of versions. */
const MAX_BYTES = 20 * 1024

/** The body of a message that tells of an event: the same bytes at every attempt. */
export function renderPayload(event: CargoEvent): string {
  const text = render(`crate.${event.kind}`, event.at, event)
  if (Buffer.byteLength(text) <= MAX_BYTES) return text
  return render(`crate.${event.kind}`, event.at, { ...event, detail: { omitted: 'too large' } })
}

/** The body of a message that only tries whether it arrives. */
export function renderPing(at: Date): string {
  return render('ping', at.toISOString(), {})
}

function render(type: string, timestamp: string, data: object): string {
  return JSON.stringify({ type, timestamp, data })
}
