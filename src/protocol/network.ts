/** Whoever has one IPv6 address has 2^64 of them. */
const V6_GROUPS = 4

/**
 * What counts as one client of the address `ip`: an IPv4 address as it is, of an IPv6 address the network (`/64`).
 * Anything else is returned as it is.
 */
export function networkOf(ip: string): string {
  const v4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1]
  if (v4 !== undefined) return v4
  if (!/^[0-9a-f:]+(%.*)?$/i.test(ip) || !ip.includes(':')) return ip
  const [head = '', tail] = ip.toLowerCase().replace(/%.*$/, '').split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':'))
  const front = groups(head)
  const back = groups(tail ?? '')
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0')
  const all = [...front, ...zeros, ...back].map((group) => Number.parseInt(group, 16).toString(16))
  return `${all.slice(0, V6_GROUPS).join(':')}::/64`
}
