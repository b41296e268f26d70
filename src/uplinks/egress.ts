import { lookup as dnsLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { buildConnector } from 'undici'
import { isPublicAddress } from './address.ts'
import { UplinkError } from './uplink-error.ts'

/** Decides which addresses an uplink, its `dl` and its redirects may make us connect to. */
export interface EgressGuard {
  /**
   * Checks a URL that the uplink named.
   * @throws {UplinkError} `refused` for another scheme, a way down from https, credentials, or a private address
   */
  check(url: URL): void
  /** Whether credentials may go there: the uplink's own origin. */
  isHome(url: URL): boolean
  /** A connector that checks every address, also the ones a name resolves to, before it connects. */
  connector(options: buildConnector.BuildOptions): buildConnector.connector
}

/** No uplink lives at more addresses than this; it bounds what is remembered. */
const MAX_HOME_ADDRESSES = 64

/**
 * A guard for the uplink at `home`. Its own origin may be anywhere. A private address is else reached only when the
 * uplink itself was met at it, which is what makes a `dl` on another port of an internal registry work.
 */
export function createEgressGuard(uplink: string, home: URL): EgressGuard {
  const homeAddresses = new Set<string>()

  function refusal(host: string, address: string): UplinkError | undefined {
    if (isPublicAddress(address) || homeAddresses.has(address)) return undefined
    return new UplinkError(uplink, 'refused', `points to \`${host}\`, which is not a public address`)
  }

  const lookup: LookupFunction = (host, options, callback) => {
    dnsLookup(host, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '')
      // One private address among public ones is refused too: which of them gets connected is not ours to choose.
      const refused = addresses.map(({ address }) => refusal(host, address)).find(Boolean)
      const first = addresses[0]
      if (refused !== undefined || first === undefined) return callback(refused ?? notFound(host), '')
      if (options.all === true) return callback(null, addresses)
      callback(null, first.address, first.family)
    })
  }

  return {
    isHome: (url) => url.origin === home.origin,
    check(url) {
      const secure = url.protocol === 'https:'
      if (!secure && (url.protocol !== 'http:' || home.protocol === 'https:')) {
        const wanted = home.protocol === 'https:' ? 'https' : 'http or https'
        throw new UplinkError(uplink, 'refused', `points to a \`${url.protocol}\` address: must be ${wanted}`)
      }
      if (url.username !== '' || url.password !== '') {
        throw new UplinkError(uplink, 'refused', 'points to an address with credentials in it')
      }
      const literal = url.hostname.replace(/^\[|\]$/g, '')
      if (isIP(literal) === 0 || url.hostname === home.hostname) return
      const refused = refusal(url.hostname, literal)
      if (refused !== undefined) throw refused
    },
    connector(options) {
      const open = buildConnector(options)
      const checked = buildConnector({ ...options, lookup })
      return (target, callback) => {
        const { hostname } = target
        if (originOf(target) === home.origin) {
          open(target, (...result) => {
            const address = result[1]?.remoteAddress
            if (address !== undefined && homeAddresses.size < MAX_HOME_ADDRESSES) homeAddresses.add(address)
            callback(...result)
          })
          return
        }
        const refused = isIP(hostname) === 0 ? undefined : refusal(hostname, hostname)
        if (refused !== undefined) return callback(refused, null)
        checked(target, callback)
      }
    },
  }
}

function originOf({ protocol, hostname, port }: buildConnector.Options): string {
  const host = isIP(hostname) === 6 ? `[${hostname}]` : hostname
  return new URL(`${protocol}//${host}${port === '' ? '' : `:${port}`}`).origin
}

function notFound(host: string): Error {
  return Object.assign(new Error(`no address of ${host}`), { code: 'ENOTFOUND' })
}
