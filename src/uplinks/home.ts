import type { UplinkOptions } from '../options.ts'

/** Where an uplink is configured to be, and what may be said there only. */
export interface Home {
  /** The index, with a final slash and without credentials. */
  readonly base: URL
  /** Headers that leave for this origin and no other: the credential and the configured ones. */
  readonly headers: Readonly<Record<string, string>>
}

/** Headers that belong to the connection or to the way a body is read. */
const NOT_OURS = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'accept-encoding',
  'te',
  'upgrade',
])

/** Reads an uplink's `url`, however it is spelled; a user and password in it become a `Basic` credential. */
export function parseHome(options: Pick<UplinkOptions, 'url' | 'headers' | 'auth'>): Home {
  const base = new URL(options.url.trim().replace(/^sparse\+/i, ''))
  const basic = base.username === '' ? undefined : encodeBasic(base)
  base.username = ''
  base.password = ''
  base.hash = ''
  base.search = ''
  if (!base.pathname.endsWith('/')) base.pathname += '/'
  const authorization = credential(options.auth) ?? basic
  const extra = Object.entries(options.headers ?? {})
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => !NOT_OURS.has(name))
  return {
    base,
    headers: { ...Object.fromEntries(extra), ...(authorization !== undefined && { authorization }) },
  }
}

function credential(auth: UplinkOptions['auth']): string | undefined {
  if (auth?.token === undefined || auth.token === '') return undefined
  switch (auth.type ?? 'token') {
    case 'basic':
      return `Basic ${auth.token}`
    case 'bearer':
      return `Bearer ${auth.token}`
    case 'token':
      return auth.token
  }
}

function encodeBasic({ username, password }: URL): string {
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return `Basic ${Buffer.from(pair).toString('base64')}`
}
