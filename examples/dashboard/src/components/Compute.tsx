// The list of compute instances, the second type of update on the same connection.
import { type Instance, update } from '../api';
import { useChange, useList } from '../queries';
import { CreateForm } from './CreateForm';
import { DeleteButton } from './DeleteButton';
import { Panel } from './Panel';
import { Changed, Flash, Rows } from './Rows';

/** The compute instances: the second kind of update on the same connection. */
export function Compute() {
  const { data, error, refetch } = useList('compute');
  const running = data?.filter((instance) => instance.state === 'running').length ?? 0;
  return (
    <Panel
      title="Compute"
      count={data?.length}
      form={<CreateForm list="compute" thing="instance" />}
      error={error}
      onRetry={() => void refetch()}
      empty="No instances yet. Name the first one above."
    >
      <Rows items={data ?? []} label={`Compute instances, ${running} running`}>
        {(instance, isNew) => <InstanceRow key={instance.id} instance={instance} isNew={isNew} />}
      </Rows>
    </Panel>
  );
}

function InstanceRow({ instance, isNew }: { instance: Instance; isNew: boolean }) {
  const { id, name } = instance;
  const turn = useChange('compute', (state: Instance['state']) => update('compute', id, { state }));
  const state = turn.isPending ? turn.variables : instance.state;
  const running = state === 'running';

  // Not `disabled` meanwhile: that would take the keyboard's focus away.
  const press = () => {
    if (!turn.isPending) turn.mutate(running ? 'stopped' : 'running');
  };

  return (
    <li className="row" data-testid="compute-row" data-id={id} data-state={state}>
      <Flash mark={instance.updatedAt} lit={isNew} />
      <p className="machine">
        <span className="machine-dot" aria-hidden="true" />
        <span className="machine-name">{name}</span>
        <span className="machine-state">{state}</span>
      </p>
      <Changed item={instance} />
      <button
        type="button"
        className="secondary small turn"
        aria-label={`${running ? 'Stop' : 'Start'} ${name}`}
        aria-disabled={turn.isPending}
        onClick={press}
        data-testid="turn"
      >
        {running ? 'Stop' : 'Start'}
      </button>
      <DeleteButton list="compute" id={id} name={name} />
    </li>
  );
}
