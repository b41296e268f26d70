import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { RegistryProcess } from '../registry-process.ts'

/** A registry whose connections to what is behind it, at these ports of this machine, are not counted. */
export function withoutBackends(registry: RegistryProcess, ports: readonly number[]): RegistryProcess {
  return {
    ...registry,
    holdings() {
      const { descriptors, sockets, temporary } = registry.holdings()
      const kept = connectionsTo(registry.pid, ports)
      return { descriptors: descriptors - kept, sockets: sockets - kept, temporary }
    },
  }
}

/** How many connections a process has to some ports of other processes. */
export function connectionsTo(pid: number, ports: readonly number[]): number {
  const own = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? []
      } catch {
        return [] // Closed in between.
      }
    }),
  )
  const lines = ['tcp', 'tcp6'].flatMap((kind) =>
    readFileSync(`/proc/${pid}/net/${kind}`, 'utf8').trim().split('\n').slice(1),
  )
  return lines.filter((line) => {
    const [, , remote = '', , , , , , , inode = ''] = line.trim().split(/\s+/)
    return own.has(inode) && ports.includes(Number.parseInt(remote.split(':')[1] ?? '', 16))
  }).length
}
