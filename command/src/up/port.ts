import { createServer } from 'node:net'

/** Whether a server could listen on `port` now. `localhost` means both of its addresses. */
export async function isPortFree(host: string, port: number): Promise<boolean> {
  const addresses = host === 'localhost' ? ['127.0.0.1', '::1'] : [host]
  const answers = await Promise.all(addresses.map((address) => canListen(address, port)))
  return answers.every((answer) => answer)
}

/** The first free port above `port`. */
export async function freePortAfter(host: string, port: number): Promise<number> {
  for (let candidate = port + 1; candidate <= 65_535; candidate++) {
    if (await isPortFree(host, candidate)) return candidate
  }
  throw new Error(`There is no free port above ${port}.`)
}

function canListen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false)
      // A machine without IPv6 has no ::1 that could be taken.
      else if (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT') resolve(host === '::1')
      else reject(error)
    })
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(true)))
  })
}
