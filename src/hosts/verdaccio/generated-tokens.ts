import { BlockList, isIP } from 'node:net'
import { CargoError } from '../../errors.ts'
import type { Action } from '../../host.ts'
import type { GeneratedToken, RemoteUser, VerdaccioStorage } from './api.ts'

/**
 * The entry of the token that `npm token create` made and `user` came with; `undefined` for any other credential.
 * Verdaccio looks it up for its own routes only.
 * @throws {CargoError} `invalid_credential` when it was revoked
 */
export async function generatedToken(
  storage: VerdaccioStorage,
  { name, token }: RemoteUser,
): Promise<GeneratedToken | undefined> {
  if (token?.key === undefined || name === undefined) return undefined
  const found = (await storage.readTokens({ user: name })).find(({ key }) => key === token.key)
  if (found === undefined) throw new CargoError('invalid_credential', 'the token was revoked')
  return found
}

/** @throws {CargoError} `invalid_credential` for a client outside the token's addresses */
export function mustComeFrom({ cidr = [] }: GeneratedToken, address: string | undefined): void {
  if (cidr.length === 0 || (address !== undefined && contains(cidr, address))) return
  throw new CargoError('invalid_credential', 'the token may not be used from this address')
}

/** What is left of a user's rights with a token that may only read. */
export function scopeOf({ readonly }: GeneratedToken): ((action: Action) => boolean) | undefined {
  return readonly === true ? (action) => action === 'read' : undefined
}

/** An address range that cannot be read contains nothing. */
function contains(ranges: readonly string[], address: string): boolean {
  const list = new BlockList()
  for (const range of ranges) {
    const [network = '', bits] = range.split('/')
    const family = isIP(network)
    if (family === 0) continue
    const type = family === 6 ? 'ipv6' : 'ipv4'
    const prefix = bits === undefined ? (family === 6 ? 128 : 32) : Number(bits)
    if (Number.isInteger(prefix) && prefix >= 0 && prefix <= (family === 6 ? 128 : 32))
      list.addSubnet(network, prefix, type)
  }
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
  return isIP(plain) !== 0 && list.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4')
}
