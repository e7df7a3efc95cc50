package dev.distillery.model.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads expressions, in the precedence of Jinja 3.1's own parser. */
final class ExpressionParser {
  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
  private static final Expression NO_BOUND = scope -> Value.NONE;

  private final Words words;

  ExpressionParser(Words words) {
    this.words = words;
  }

  /** An expression, or several with commas between: a tuple. */
  Expression tuple() {
    Expression first = expression();
    if (!words.isOperator(",")) {
      return first;
    }
    List<Expression> members = new ArrayList<>(List.of(first));
    while (words.skipOperator(",")) {
      Token.Kind kind = words.peek().kind();
      if (kind == Token.Kind.BLOCK_END
          || kind == Token.Kind.VARIABLE_END
          || words.isOperator(")")) {
        break;
      }
      members.add(expression());
    }
    return scope -> new Value.Tuple(all(members, scope));
  }

  Expression expression() {
    words.deeper();
    Expression value = or();
    while (words.skipName("if")) {
      Expression then = value;
      Expression condition = or();
      Expression otherwise =
          words.skipName("else") ? expression() : scope -> new Value.Undefined("else");
      value =
          scope ->
              Value.truth(condition.evaluate(scope))
                  ? then.evaluate(scope)
                  : otherwise.evaluate(scope);
    }
    words.back();
    return value;
  }

  /** An expression without {@code if} of its own: what a loop goes through. */
  Expression or() {
    Expression left = and();
    while (words.skipName("or")) {
      Expression a = left;
      Expression b = and();
      left =
          scope -> {
            Object value = a.evaluate(scope);
            return Value.truth(value) ? value : b.evaluate(scope);
          };
    }
    return left;
  }

  private Expression and() {
    Expression left = not();
    while (words.skipName("and")) {
      Expression a = left;
      Expression b = not();
      left =
          scope -> {
            Object value = a.evaluate(scope);
            return Value.truth(value) ? b.evaluate(scope) : value;
          };
    }
    return left;
  }

  private Expression not() {
    if (!words.skipName("not")) {
      return comparison();
    }
    words.deeper();
    Expression negated = not();
    words.back();
    return scope -> !Value.truth(negated.evaluate(scope));
  }

  private Expression comparison() {
    Expression first = sum();
    List<String> operators = new ArrayList<>();
    List<Expression> operands = new ArrayList<>();
    while (true) {
      Token token = words.peek();
      if (token.kind() == Token.Kind.OPERATOR && COMPARISONS.contains(token.value())) {
        operators.add(words.next().value());
      } else if (words.skipName("in")) {
        operators.add("in");
      } else if (words.isName("not") && words.peek(1).is(Token.Kind.NAME, "in")) {
        words.next();
        words.next();
        operators.add("not in");
      } else {
        break;
      }
      operands.add(sum());
    }
    if (operators.isEmpty()) {
      return first;
    }
    return scope -> {
      Object left = first.evaluate(scope);
      for (int i = 0; i < operators.size(); i++) {
        Object right = operands.get(i).evaluate(scope);
        if (!Operators.compares(operators.get(i), left, right)) {
          return false;
        }
        left = right;
      }
      return true;
    };
  }

  private Expression sum() {
    Expression left = joined();
    while (words.isOperator("+") || words.isOperator("-")) {
      String operator = words.next().value();
      Expression a = left;
      Expression b = joined();
      left =
          operator.equals("+")
              ? scope -> Operators.add(scope, a.evaluate(scope), b.evaluate(scope))
              : scope -> Operators.arithmetic("-", a.evaluate(scope), b.evaluate(scope));
    }
    return left;
  }

  private Expression joined() {
    Expression first = product();
    if (!words.isOperator("~")) {
      return first;
    }
    List<Expression> parts = new ArrayList<>(List.of(first));
    while (words.skipOperator("~")) {
      parts.add(product());
    }
    return scope -> Methods.join(scope, Text.EMPTY, all(parts, scope));
  }

  private Expression product() {
    Expression left = power();
    while (words.isOperator("*")
        || words.isOperator("/")
        || words.isOperator("//")
        || words.isOperator("%")) {
      String operator = words.next().value();
      Expression a = left;
      Expression b = power();
      left =
          operator.equals("*")
              ? scope -> Operators.multiply(scope, a.evaluate(scope), b.evaluate(scope))
              : scope -> Operators.arithmetic(operator, a.evaluate(scope), b.evaluate(scope));
    }
    return left;
  }

  private Expression power() {
    Expression left = unary(true);
    while (words.skipOperator("**")) {
      Expression a = left;
      Expression b = unary(true);
      left = scope -> Operators.arithmetic("**", a.evaluate(scope), b.evaluate(scope));
    }
    return left;
  }

  private Expression unary(boolean filters) {
    Expression value;
    if (words.isOperator("-") || words.isOperator("+")) {
      String sign = words.next().value();
      words.deeper();
      Expression operand = unary(false);
      words.back();
      value =
          scope -> {
            Object number = operand.evaluate(scope);
            return Operators.arithmetic("*", sign.equals("+") ? 1L : -1L, number);
          };
    } else {
      value = postfix(primary());
    }
    return filters ? filtered(value) : value;
  }

  private Expression primary() {
    Token token = words.next();
    switch (token.kind()) {
      case NAME -> {
        return name(token.value());
      }
      case STRING -> {
        StringBuilder text = new StringBuilder(token.value());
        while (words.peek().kind() == Token.Kind.STRING) {
          text.append(words.next().value());
        }
        Text constant = Text.of(text.toString());
        return scope -> constant;
      }
      case INTEGER -> {
        if (token.value().length() > 18) {
          throw words.error("the number " + token.value() + " is too large");
        }
        Long constant = Long.valueOf(token.value());
        return scope -> constant;
      }
      case FLOAT -> {
        Double constant = Double.valueOf(token.value());
        return scope -> constant;
      }
      case OPERATOR -> {
        if (token.value().equals("(")) {
          return parenthesised();
        }
        if (token.value().equals("[")) {
          List<Expression> members = members("]");
          return scope -> all(members, scope);
        }
        if (token.value().equals("{")) {
          return dictionary();
        }
      }
      default -> {}
    }
    throw new TemplateException(
        "Line "
            + token.line()
            + " of the chat template: expected a value, found '"
            + token.value()
            + "'");
  }

  private static Expression name(String name) {
    return switch (name) {
      case "true", "True" -> scope -> true;
      case "false", "False" -> scope -> false;
      case "none", "None" -> scope -> Value.NONE;
      default -> scope -> scope.get(name);
    };
  }

  private Expression parenthesised() {
    if (words.skipOperator(")")) {
      return scope -> new Value.Tuple(List.of());
    }
    Expression value = tuple();
    words.needOperator(")");
    return value;
  }

  private List<Expression> members(String close) {
    List<Expression> members = new ArrayList<>();
    while (!words.skipOperator(close)) {
      if (!members.isEmpty()) {
        words.needOperator(",");
        if (words.skipOperator(close)) {
          break;
        }
      }
      members.add(expression());
    }
    return members;
  }

  private Expression dictionary() {
    List<Expression> keys = new ArrayList<>();
    List<Expression> values = new ArrayList<>();
    while (!words.skipOperator("}")) {
      if (!keys.isEmpty()) {
        words.needOperator(",");
        if (words.skipOperator("}")) {
          break;
        }
      }
      keys.add(expression());
      words.needOperator(":");
      values.add(expression());
    }
    return scope -> {
      Map<Object, Object> map = new LinkedHashMap<>();
      for (int i = 0; i < keys.size(); i++) {
        map.put(Value.key(keys.get(i).evaluate(scope)), values.get(i).evaluate(scope));
      }
      return map;
    };
  }

  private Expression postfix(Expression begun) {
    Expression value = begun;
    while (true) {
      Expression owner = value;
      if (words.skipOperator(".")) {
        Token key = words.next();
        if (key.kind() == Token.Kind.INTEGER) {
          Long index = Long.valueOf(key.value());
          value = scope -> Operators.item(owner.evaluate(scope), index);
        } else if (key.kind() == Token.Kind.NAME) {
          value = scope -> Operators.attribute(owner.evaluate(scope), key.value());
        } else {
          throw words.error("expected a name behind '.', found '" + key.value() + "'");
        }
      } else if (words.skipOperator("[")) {
        value = subscript(owner);
      } else if (words.isOperator("(")) {
        value = call(owner);
      } else {
        return value;
      }
    }
  }

  private Expression subscript(Expression owner) {
    Expression from = words.isOperator(":") ? NO_BOUND : expression();
    if (words.skipOperator("]")) {
      return scope -> Operators.item(owner.evaluate(scope), from.evaluate(scope));
    }
    words.needOperator(":");
    Expression to = words.isOperator(":") || words.isOperator("]") ? NO_BOUND : expression();
    Expression step = words.skipOperator(":") && !words.isOperator("]") ? expression() : NO_BOUND;
    words.needOperator("]");
    return scope ->
        Operators.slice(
            owner.evaluate(scope), from.evaluate(scope), to.evaluate(scope), step.evaluate(scope));
  }

  /** What is called with: values by place and by name. */
  private record Given(List<Expression> positional, Map<String, Expression> named) {
    Arguments evaluate(String name, Scope scope) {
      Map<String, Object> values = new LinkedHashMap<>();
      named.forEach((key, value) -> values.put(key, value.evaluate(scope)));
      return new Arguments(name, scope, all(positional, scope), values);
    }
  }

  private Given arguments() {
    List<Expression> positional = new ArrayList<>();
    Map<String, Expression> named = new LinkedHashMap<>();
    words.needOperator("(");
    boolean first = true;
    while (!words.skipOperator(")")) {
      if (!first) {
        words.needOperator(",");
        if (words.skipOperator(")")) {
          break;
        }
      }
      first = false;
      if (words.peek().kind() == Token.Kind.NAME && words.peek(1).is(Token.Kind.OPERATOR, "=")) {
        String key = words.name();
        words.next();
        named.put(key, expression());
      } else if (named.isEmpty()) {
        positional.add(expression());
      } else {
        throw words.unexpected("a named argument");
      }
    }
    return new Given(positional, named);
  }

  private Expression call(Expression function) {
    int line = words.peek().line();
    Given given = arguments();
    return scope -> {
      scope.charge(0);
      Object called = function.evaluate(scope);
      if (called instanceof Value.Callable callable) {
        return callable.call(given.evaluate("a function in line " + line, scope));
      }
      throw called instanceof Value.Undefined undefined
          ? undefined.refused()
          : Value.wrong("Line " + line + " of the chat template calls what is no function", called);
    };
  }

  private Expression filtered(Expression begun) {
    Expression value = begun;
    while (true) {
      if (words.skipOperator("|")) {
        value = filter(value);
      } else if (words.skipName("is")) {
        value = test(value);
      } else if (words.isOperator("(")) {
        value = call(value);
      } else {
        return value;
      }
    }
  }

  /** One filter behind its bar. */
  Expression filter(Expression value) {
    String name = words.name();
    Filters.Filter filter =
        Filters.find(name)
            .orElseThrow(() -> words.error("the filter '" + name + "' is not supported"));
    Given given = words.isOperator("(") ? arguments() : new Given(List.of(), Map.of());
    return scope -> {
      scope.charge(0);
      return filter.apply(value.evaluate(scope), given.evaluate(name, scope));
    };
  }

  private Expression test(Expression value) {
    boolean negated = words.skipName("not");
    String name = words.name();
    Tests.Test test =
        Tests.find(name).orElseThrow(() -> words.error("the test '" + name + "' is not supported"));
    Given given = testArguments();
    return scope -> test.holds(value.evaluate(scope), given.evaluate(name, scope)) != negated;
  }

  /** In parentheses, or one value without. */
  private Given testArguments() {
    if (words.isOperator("(")) {
      return arguments();
    }
    Token token = words.peek();
    boolean value =
        switch (token.kind()) {
          case STRING, INTEGER, FLOAT -> true;
          case NAME ->
              !Set.of("else", "or", "and", "if", "is", "not", "in").contains(token.value());
          case OPERATOR -> Set.of("[", "{").contains(token.value());
          default -> false;
        };
    return new Given(value ? List.of(postfix(primary())) : List.of(), Map.of());
  }

  private static List<Object> all(List<Expression> expressions, Scope scope) {
    List<Object> values = new ArrayList<>(expressions.size());
    for (Expression expression : expressions) {
      values.add(expression.evaluate(scope));
    }
    return values;
  }
}
