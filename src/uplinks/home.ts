import { unescape as percentDecode } from 'node:querystring'
import type { UplinkOptions } from '../options.ts'

/** Where an uplink is configured to be, and what may be said there only. */
export interface Home {
  /** The index, with a final slash and without credentials. */
  readonly base: URL
  /** Headers that leave for this origin and no other, with lower-case names: the credential and the configured ones. */
  readonly headers: Readonly<Record<string, string>>
}

/** Headers that belong to the connection, to a proxy, or to what is asked for and how its answer is read. */
const NOT_OURS = new Set([
  'host',
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'content-length',
  'transfer-encoding',
  'accept-encoding',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'range',
  'if-none-match',
  'if-modified-since',
])

/** Reads an uplink's `url`, however it is spelled; a user and password in it become a `Basic` credential. */
export function parseHome({ url, headers, auth }: Pick<UplinkOptions, 'url' | 'headers' | 'auth'>): Home {
  const base = new URL(url.trim().replace(/^sparse\+/i, ''))
  const authorization = credential(auth) ?? basicCredential(base)
  base.username = ''
  base.password = ''
  base.hash = ''
  base.search = ''
  if (!base.pathname.endsWith('/')) base.pathname += '/'
  return { base, headers: { ...ownHeaders(headers), ...(authorization !== undefined && { authorization }) } }
}

/** Configured headers with lower-case names, without those that are not the operator's to set. */
export function ownHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const own = Object.entries(headers)
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => !NOT_OURS.has(name))
  return Object.fromEntries(own)
}

function credential(auth: UplinkOptions['auth']): string | undefined {
  if (auth?.token === undefined || auth.token === '') return undefined
  switch (auth.type) {
    case 'basic':
      return `Basic ${auth.token}`
    case 'bearer':
      return `Bearer ${auth.token}`
    case 'token':
      return auth.token
  }
}

function basicCredential({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined
  const pair = `${percentDecode(username)}:${percentDecode(password)}`
  return `Basic ${Buffer.from(pair).toString('base64')}`
}
