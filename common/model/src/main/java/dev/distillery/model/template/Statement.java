package dev.distillery.model.template;

import java.util.List;

/** A part of a template that does something: writes, sets a name, loops. */
@FunctionalInterface
interface Statement {
  /** How a loop goes on behind a statement. */
  enum Flow {
    NEXT,
    BREAK,
    CONTINUE
  }

  Flow run(Scope scope);

  /** One after the other, until one breaks or continues the loop around them. */
  static Statement block(List<Statement> statements) {
    Statement[] all = statements.toArray(Statement[]::new);
    return scope -> {
      for (Statement statement : all) {
        scope.charge(0);
        Flow flow = statement.run(scope);
        if (flow != Flow.NEXT) {
          return flow;
        }
      }
      return Flow.NEXT;
    };
  }
}
