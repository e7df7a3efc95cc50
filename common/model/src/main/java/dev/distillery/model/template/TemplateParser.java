package dev.distillery.model.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Reads a template's statements. */
final class TemplateParser {
  private static final Statement NOTHING = scope -> Statement.Flow.NEXT;

  private final Words words;
  private final ExpressionParser expressions;
  private boolean marksGeneration;

  TemplateParser(String template) {
    this.words = new Words(Lexer.tokens(template));
    this.expressions = new ExpressionParser(words);
  }

  Statement parse() {
    Statement all = body(Set.of());
    if (words.peek().kind() != Token.Kind.END) {
      throw words.unexpected("the end");
    }
    return all;
  }

  /** Whether the template says itself what a model generates. */
  boolean marksGeneration() {
    return marksGeneration;
  }

  /** Statements up to a block with one of these names, which stays unread but for its opening. */
  private Statement body(Set<String> ends) {
    words.deeper();
    List<Statement> statements = new ArrayList<>();
    while (words.peek().kind() != Token.Kind.END) {
      Token token = words.next();
      switch (token.kind()) {
        case DATA -> {
          Text data = Text.of(token.value());
          statements.add(
              scope -> {
                scope.write(data);
                return Statement.Flow.NEXT;
              });
        }
        case VARIABLE_BEGIN -> {
          Expression value = expressions.tuple();
          words.end(Token.Kind.VARIABLE_END);
          statements.add(
              scope -> {
                scope.write(value.evaluate(scope));
                return Statement.Flow.NEXT;
              });
        }
        case BLOCK_BEGIN -> {
          if (words.peek().kind() == Token.Kind.NAME && ends.contains(words.peek().value())) {
            words.back();
            return Statement.block(statements);
          }
          statements.add(statement());
        }
        default -> throw words.unexpected("text or a mark");
      }
    }
    if (!ends.isEmpty()) {
      throw words.unexpected("one of " + ends);
    }
    words.back();
    return Statement.block(statements);
  }

  private Statement statement() {
    String name = words.name();
    return switch (name) {
      case "for" -> loop();
      case "if" -> condition();
      case "set" -> assignment();
      case "macro" -> macro();
      case "break", "continue" -> {
        words.end(Token.Kind.BLOCK_END);
        Statement.Flow flow = name.equals("break") ? Statement.Flow.BREAK : Statement.Flow.CONTINUE;
        yield scope -> flow;
      }
      case "generation" -> generation();
      case "filter" -> filter();
      case "with" -> with();
      default -> throw words.error("the tag '" + name + "' is not supported");
    };
  }

  /** The body up to one of the closing names, and that one's own end. */
  private Statement closed(String close) {
    words.end(Token.Kind.BLOCK_END);
    Statement body = body(Set.of(close));
    words.needName(close);
    words.end(Token.Kind.BLOCK_END);
    return body;
  }

  private List<String> targets() {
    boolean parenthesis = words.skipOperator("(");
    List<String> targets = new ArrayList<>();
    do {
      targets.add(words.name());
    } while (words.skipOperator(",") && words.peek().kind() == Token.Kind.NAME);
    if (parenthesis) {
      words.needOperator(")");
    }
    return targets;
  }

  private Statement loop() {
    List<String> targets = targets();
    words.needName("in");
    Expression elements = expressions.or();
    Optional<Expression> condition =
        words.skipName("if") ? Optional.of(expressions.expression()) : Optional.empty();
    if (words.isName("recursive")) {
      throw words.error("recursive loops are not supported");
    }
    words.end(Token.Kind.BLOCK_END);
    Statement body = body(Set.of("endfor", "else"));
    Statement otherwise = NOTHING;
    if (words.skipName("else")) {
      words.end(Token.Kind.BLOCK_END);
      otherwise = body(Set.of("endfor"));
    }
    words.needName("endfor");
    words.end(Token.Kind.BLOCK_END);
    return new Loop(targets, elements, condition, body, otherwise);
  }

  private Statement condition() {
    words.deeper();
    Expression condition = expressions.tuple();
    words.end(Token.Kind.BLOCK_END);
    Statement then = body(Set.of("elif", "else", "endif"));
    Statement otherwise = NOTHING;
    if (words.skipName("elif")) {
      otherwise = condition();
    } else {
      if (words.skipName("else")) {
        words.end(Token.Kind.BLOCK_END);
        otherwise = body(Set.of("endif"));
      }
      words.needName("endif");
      words.end(Token.Kind.BLOCK_END);
    }
    words.back();
    Statement other = otherwise;
    return scope -> Value.truth(condition.evaluate(scope)) ? then.run(scope) : other.run(scope);
  }

  private Statement assignment() {
    if (words.peek(1).is(Token.Kind.OPERATOR, ".")) {
      String owner = words.name();
      words.next();
      String member = words.name();
      Expression value = assigned();
      return scope -> {
        if (!(scope.get(owner) instanceof Value.Namespace namespace)) {
          throw new TemplateException(
              "The chat template sets '%s.%s', but only a namespace's members can be set"
                  .formatted(owner, member));
        }
        namespace.members.put(member, value.evaluate(scope));
        return Statement.Flow.NEXT;
      };
    }
    List<String> targets = targets();
    Expression value = assigned();
    return scope -> {
      Loop.assign(scope, targets, value.evaluate(scope));
      return Statement.Flow.NEXT;
    };
  }

  /** Behind the equals sign, or the text of a block up to {@code endset}. */
  private Expression assigned() {
    if (words.skipOperator("=")) {
      Expression value = expressions.tuple();
      words.end(Token.Kind.BLOCK_END);
      return value;
    }
    Expression[] text = new Expression[1];
    Expression filtered = scope -> text[0].evaluate(scope);
    while (words.skipOperator("|")) {
      filtered = expressions.filter(filtered);
    }
    text[0] = captured(closed("endset"));
    return filtered;
  }

  private static Expression captured(Statement body) {
    return scope -> {
      Scope inner = scope.inner();
      return inner.captured(
          () -> {
            Statement.Flow unused = body.run(inner);
          });
    };
  }

  private Statement filter() {
    Expression[] text = new Expression[1];
    Expression filtered = expressions.filter(scope -> text[0].evaluate(scope));
    while (words.skipOperator("|")) {
      filtered = expressions.filter(filtered);
    }
    text[0] = captured(closed("endfilter"));
    Expression value = filtered;
    return scope -> {
      scope.write(value.evaluate(scope));
      return Statement.Flow.NEXT;
    };
  }

  private Statement with() {
    Map<String, Expression> values = new LinkedHashMap<>();
    while (words.peek().kind() == Token.Kind.NAME) {
      String name = words.name();
      words.needOperator("=");
      values.put(name, expressions.expression());
      words.skipOperator(",");
    }
    Statement body = closed("endwith");
    return scope -> {
      Scope inner = scope.inner();
      values.forEach((name, value) -> inner.set(name, value.evaluate(scope)));
      return body.run(inner);
    };
  }

  private Statement generation() {
    marksGeneration = true;
    Statement body = closed("endgeneration");
    return scope -> {
      int before = scope.out().flags();
      scope.out().flag(before | Text.GENERATION);
      try {
        return body.run(scope.inner());
      } finally {
        scope.out().flag(before);
      }
    };
  }

  private Statement macro() {
    String name = words.name();
    List<String> parameters = new ArrayList<>();
    Map<String, Expression> defaults = new LinkedHashMap<>();
    words.needOperator("(");
    while (!words.skipOperator(")")) {
      if (!parameters.isEmpty()) {
        words.needOperator(",");
      }
      String parameter = words.name();
      parameters.add(parameter);
      if (words.skipOperator("=")) {
        defaults.put(parameter, expressions.expression());
      }
    }
    Statement body = closed("endmacro");
    return scope -> {
      scope.set(name, new Macro(name, parameters, defaults, body, scope));
      return Statement.Flow.NEXT;
    };
  }
}
