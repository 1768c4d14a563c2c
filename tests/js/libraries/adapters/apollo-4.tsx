// The behaviour table's adapter for Apollo Client 4.
import { ApolloClient, ApolloLink, gql, InMemoryCache, Observable } from '@apollo/client';
import { ApolloProvider, skipToken, useQuery } from '@apollo/client/react';
import { useAutoRefetch } from '../../../../js/react/index.js';
import { type Library, type Load, text } from '../library.js';

const query = gql`query Project($name: String!) { project(name: $name) { version } }`;

interface Data {
  project: { version: number };
}

const link = (load: Load) =>
  new ApolloLink(
    ({ variables }) =>
      new Observable((observer) => {
        load(variables.name as string).then(
          ({ version }) => {
            observer.next({ data: { project: { __typename: 'Project', version } } });
            observer.complete();
          },
          (error) => observer.error(error),
        );
      }),
  );

const apollo = (kind: 'skip' | 'skipToken'): Library => ({
  name: `Apollo Client 4, ${kind}`,
  app(load) {
    const client = new ApolloClient({ link: link(load), cache: new InMemoryCache() });
    return {
      Provider: ({ children }) => <ApolloProvider client={client}>{children}</ApolloProvider>,
      Row: ({ name, on }) => {
        const options = kind === 'skip' ? { variables: { name }, skip: !on } : on ? { variables: { name } } : skipToken;
        const { data } = useAutoRefetch(useQuery<Data>(query, options), 'projects');
        return <p>{text(data?.project)}</p>;
      },
      fetch: () => client.refetchQueries({ include: 'active' }),
      end: () => client.stop(),
    };
  },
});

export const libraries: Library[] = [apollo('skip'), apollo('skipToken')];
