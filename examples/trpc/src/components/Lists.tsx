// The four lists. Each query names its type of update, and is fetched again when that is notified. A
// change of this tab is fetched by its mutation, as usual: the notification is for the others.
import { useAutoRefetch } from 'tinysse/react';
import { trpc } from '../trpc';
import { Panel } from './Panel';

export function Projects() {
  const { data, error } = useAutoRefetch(trpc.projects.getAll.useQuery(), 'projects');
  const { getAll } = trpc.useUtils().projects;
  const own = { onSuccess: () => getAll.invalidate() };
  const create = trpc.projects.create.useMutation(own);
  const rename = trpc.projects.rename.useMutation(own);
  const remove = trpc.projects.remove.useMutation(own);
  return (
    <Panel
      title="Projects"
      thing="project"
      items={data}
      error={error ?? create.error}
      onAdd={(name) => create.mutate({ name })}
    >
      {({ id, name }) => (
        <>
          <Action label="Rename" onClick={() => rename.mutate({ id, name: next(name) })} />
          <Action label="Delete" onClick={() => remove.mutate({ id })} />
        </>
      )}
    </Panel>
  );
}

export function Compute() {
  const { data, error } = useAutoRefetch(trpc.compute.getAll.useQuery(), 'compute');
  const { getAll } = trpc.useUtils().compute;
  const own = { onSuccess: () => getAll.invalidate() };
  const create = trpc.compute.create.useMutation(own);
  const turn = trpc.compute.turn.useMutation(own);
  return (
    <Panel
      title="Compute"
      thing="instance"
      items={data}
      error={error ?? create.error}
      onAdd={(name) => create.mutate({ name })}
    >
      {({ id, running }) => (
        <Action label={running ? 'Stop' : 'Start'} onClick={() => turn.mutate({ id, to: running ? 'off' : 'on' })} />
      )}
    </Panel>
  );
}

export function Images() {
  const { data, error } = useAutoRefetch(trpc.images.getAll.useQuery(), 'images');
  const { getAll } = trpc.useUtils().images;
  const own = { onSuccess: () => getAll.invalidate() };
  const build = trpc.images.build.useMutation(own);
  return (
    <Panel
      title="Images"
      thing="image"
      items={data}
      error={error ?? build.error}
      onAdd={(name) => build.mutate({ name })}
    >
      {({ ready }) => (
        <span className={ready ? 'badge badge-plain' : 'badge badge-warn'}>{ready ? 'ready' : 'building'}</span>
      )}
    </Panel>
  );
}

export function Gardener() {
  const { data, error } = useAutoRefetch(trpc.gardener.getAll.useQuery(), 'gardener');
  const { getAll } = trpc.useUtils().gardener;
  const own = { onSuccess: () => getAll.invalidate() };
  const plant = trpc.gardener.plant.useMutation(own);
  const water = trpc.gardener.water.useMutation(own);
  return (
    <Panel
      title="Gardener"
      thing="plant"
      items={data}
      error={error ?? plant.error}
      onAdd={(name) => plant.mutate({ name })}
    >
      {({ id, watered }) => (
        <>
          <span className="badge badge-plain" data-testid="watered">
            {watered}×
          </span>
          <Action label="Water" onClick={() => water.mutate({ id })} />
        </>
      )}
    </Panel>
  );
}

function Action({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <button type="button" className="secondary small" onClick={onClick} data-testid={label.toLowerCase()}>
      {label}
    </button>
  );
}

/** Apollo, Apollo 2, Apollo 3. */
function next(name: string): string {
  const [, base = name, number = '1'] = /^(.*?)(?: (\d+))?$/.exec(name) ?? [];
  return `${base} ${Number(number) + 1}`;
}
