import { CargoError } from '../../errors.ts'
import type { VerdaccioConfig, VerdaccioRequest } from './api.ts'

/** A host name or address, and a port. */
const HOST = /^([A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*|\[[0-9A-Fa-f:.]+\])\.?(:\d{1,5})?$/

export interface PublicUrlOptions {
  readonly config: Pick<VerdaccioConfig, 'url_prefix'>
  /** `VERDACCIO_PUBLIC_URL`. */
  readonly publicUrl?: string | undefined
  /** `VERDACCIO_FORWARDED_PROTO`: the header in which a proxy tells the protocol. */
  readonly protocolHeader?: string | undefined
}

/** The base URL under which clients see this Verdaccio, computed as it does for npm's tarballs; no final slash. */
export function verdaccioUrl({ config, publicUrl, protocolHeader }: PublicUrlOptions) {
  const prefix = `/${(config.url_prefix ?? '').replace(/^\/+|\/+$/g, '')}`
  const fixed = publicUrl !== undefined && /^https?:\/\//i.test(publicUrl) ? new URL(publicUrl) : undefined
  const header = (protocolHeader ?? 'x-forwarded-proto').toLowerCase()
  return (request: VerdaccioRequest): string => {
    // The host lets a prefix take the place of the path.
    if (fixed !== undefined) return trimmed(prefix === '/' ? fixed.href : new URL(prefix, fixed).href)
    const host = request.headers.host ?? ''
    if (!HOST.test(host))
      throw new CargoError('invalid_request', `invalid host \`${host}\`: must be a name or an address`)
    return trimmed(`${protocolOf(request, header)}://${host}${prefix}`)
  }
}

/** The path in that URL, by which pages of the same host link to each other; empty for none. */
export function verdaccioPath({ config, publicUrl }: PublicUrlOptions): string {
  const url = verdaccioUrl({ config, publicUrl })({ headers: { host: 'any' } } as VerdaccioRequest)
  return trimmed(new URL(url).pathname)
}

function protocolOf({ headers, protocol }: VerdaccioRequest, header: string): string {
  const [forwarded = ''] = String(headers[header] ?? '').split(',')
  return /^https?$/i.test(forwarded.trim()) ? forwarded.trim().toLowerCase() : (protocol ?? 'http')
}

function trimmed(url: string): string {
  return url.replace(/\/+$/, '')
}
