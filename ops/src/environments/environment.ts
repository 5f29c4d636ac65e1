import path from 'node:path'

/** Where one DAM runs: `staging` and `production` on a prepared host, `local` under `./dam up`. */
export type Environment = {
  name: string
  /** True for `local`: no front process and no slots; backup, health and alerts work, deploy does not. */
  isLocal: boolean
  /** Public address users see, without a trailing slash. */
  publicUrl: string
  /** Where the front process listens (the web process itself when local). */
  host: string
  port: number
  /** DAM_DATA of its processes. */
  dataDir: string
  /** External database; null: the built-in one in `dataDir`. */
  databaseUrl: string | null
  /** Sockets, the front's pointer, process files; null when local. */
  runDir: string | null
  /** Further settings for its processes, from `environment.env`. */
  settings: Record<string, string>
}

/** Folders of a prepared host, or of the operations of a local DAM. */
export const hostFolders = (hostDir: string) => ({
  /** The operations' store and keys. */
  ops: path.join(hostDir, 'ops'),
  keys: path.join(hostDir, 'ops', 'keys'),
  /** `<digest>/artifact.tar.gz`, `release.json`, `release.sig`, `sbom.json`: immutable. */
  artifacts: path.join(hostDir, 'store'),
  /** Packages by content; every kept release installs from here without a network. */
  packages: path.join(hostDir, 'packages'),
  /** Unpacked and installed releases: `v1.0.0-0123456789ab`. */
  releases: path.join(hostDir, 'releases'),
  toolchains: path.join(hostDir, 'toolchains'),
  environments: path.join(hostDir, 'environments'),
  backups: path.join(hostDir, 'backups'),
  logs: path.join(hostDir, 'logs'),
})

export const environmentFolders = (hostDir: string, name: string) => {
  const root = path.join(hostFolders(hostDir).environments, name)
  return {
    root,
    data: path.join(root, 'data'),
    run: path.join(root, 'run'),
    settingsFile: path.join(root, 'environment.env'),
  }
}

/** `host.json`, written by `./dam host init`. */
export type HostConfig = {
  format: 1
  /** Public side of each environment. */
  environments: Record<string, { host: string; port: number; publicUrl: string }>
  /** Where the console listens. */
  ops: { host: string; port: number }
  /** Private ports for slots, inclusive. */
  slotPorts: { first: number; last: number }
}
