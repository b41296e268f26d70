import { BlockList, isIP, type Socket } from 'node:net'
import type { HostRequest } from '../host.ts'

/** Whose `X-Forwarded-For` is believed: so many proxies in a row, or those with these addresses and networks. */
export type TrustedProxies = number | readonly string[]

/** Whether `text` is an IP address, or a network such as `10.0.0.0/8`. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/')
  const family = isIP(address)
  if (family === 0 || more.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}

/** The address of the client that sent a request. */
export type ClientAddress = (request: Pick<HostRequest, 'headers' | 'socket'>) => string

/**
 * The last address in `X-Forwarded-For`, going from right to left, that is not one of our own proxies. What stands left
 * of it, the client may have written itself. Hosts and schemes that proxies forward are not looked at.
 */
export function createClientAddress(trusted: TrustedProxies): ClientAddress {
  const isTrusted = judgeOf(trusted)
  /** Found once for each connection. */
  const peers = new WeakMap<object, string>()

  function peerOf(socket: Socket): string {
    const known = peers.get(socket)
    if (known !== undefined) return known
    const peer = bareAddress(socket.remoteAddress ?? '')
    // One that has just gone has none any more.
    if (peer !== '') peers.set(socket, peer)
    return peer
  }

  return function addressOf({ headers, socket }) {
    let address = peerOf(socket)
    const header = headers['x-forwarded-for']
    if (header === undefined) return address
    const forwarded = String(header).split(',').map(bareAddress)
    for (let hop = 0; isTrusted(address, hop); hop++) {
      const before = forwarded.pop() ?? ''
      if (isIP(before) === 0) break
      address = before
    }
    return address
  }
}

function judgeOf(trusted: TrustedProxies): (address: string, hop: number) => boolean {
  if (typeof trusted === 'number') return (_, hop) => hop < trusted
  const list = new BlockList()
  for (const network of trusted) {
    const [address = '', bits] = network.split('/')
    const family = familyOf(address)
    list.addSubnet(address, Number(bits ?? (family === 'ipv4' ? 32 : 128)), family)
  }
  return (address) => list.check(address, familyOf(address))
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6'
}

/** Without the port that some proxies add, brackets, and the spelling of IPv4 in IPv6. */
function bareAddress(text: string): string {
  const trimmed = text.trim()
  const inBrackets = /^\[([^\]]*)\](?::\d+)?$/.exec(trimmed)?.[1]
  const withPort = /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(trimmed)?.[1]
  return (inBrackets ?? withPort ?? trimmed).replace(/^::ffff:(?=\d+\.)/i, '')
}
