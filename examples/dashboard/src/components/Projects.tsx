// The list of projects, fetched again only when the server reports a change.
import { useList } from '../queries';
import { CreateForm } from './CreateForm';
import { Panel } from './Panel';
import { ProjectRow } from './ProjectRow';
import { Rows } from './Rows';

/** The projects: fetched once, and again only when the server reports that they changed. */
export function Projects() {
  const { data, error, refetch } = useList('projects');
  return (
    <Panel
      title="Projects"
      count={data?.length}
      form={<CreateForm list="projects" thing="project" />}
      error={error}
      onRetry={() => void refetch()}
      empty="No projects yet. Name the first one above."
    >
      <Rows items={data ?? []} label="Projects">
        {(project, isNew) => <ProjectRow key={project.id} project={project} isNew={isNew} />}
      </Rows>
    </Panel>
  );
}
