import { type Html, html } from './html.ts'

const WHOLE = new Intl.NumberFormat('en')

/** How numbers, sizes and times are written for people. */
export function count(value: number): string {
  // Most are small, and a formatter takes a hundred times longer.
  return value < 1000 ? String(value) : WHOLE.format(value)
}

/** `1 crate`, `1,200 crates`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`
}

/** Bytes, as `812 B`, `12.4 KiB`, `3.1 MiB`. */
export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  const unit = bytes < 1024 ** 2 ? 'KiB' : 'MiB'
  return `${(bytes / (unit === 'KiB' ? 1024 : 1024 ** 2)).toFixed(1)} ${unit}`
}

/** The day of a time, RFC 3339; all of it for machines. */
export function day(time: string): Html {
  return html`<time datetime="${time}">${time.slice(0, 10)}</time>`
}

/** A table that may be wider than the page: it scrolls by itself, by keyboard too. `shape`: `tall` also up and down, `wide` rather than breaking lines. */
export function scrolling(label: string, table: Html, shape?: 'tall' | 'wide'): Html {
  return html`<div class="scroll${shape !== undefined && ` ${shape}`}" role="group" aria-label="${label}" tabindex="0">${table}</div>`
}
