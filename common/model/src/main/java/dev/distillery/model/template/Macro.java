package dev.distillery.model.template;

import java.util.List;
import java.util.Map;

/**
 * A macro: a block with parameters, whose text is its value.
 *
 * @param defaults of parameters that have one
 * @param home the scope that it was defined in, whose names it sees
 */
record Macro(
    String name,
    List<String> parameters,
    Map<String, Expression> defaults,
    Statement body,
    Scope home)
    implements Value.Callable {

  @Override
  public Object call(Arguments arguments) {
    arguments.atMost(parameters.size(), parameters.toArray(String[]::new));
    Scope inner = home.inner();
    for (int i = 0; i < parameters.size(); i++) {
      String parameter = parameters.get(i);
      Object given = arguments.get(i, parameter, Value.NONE);
      boolean there = i < arguments.positional().size() || arguments.named().containsKey(parameter);
      Expression otherwise = defaults.get(parameter);
      inner.set(
          parameter,
          there
              ? given
              : otherwise == null ? new Value.Undefined(parameter) : otherwise.evaluate(inner));
    }
    inner.enter();
    try {
      return inner.captured(
          () -> {
            Statement.Flow unused = body.run(inner);
          });
    } finally {
      inner.leave();
    }
  }
}
