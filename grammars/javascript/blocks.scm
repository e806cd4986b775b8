; @simple statements that stand side by side form a run; an @exit ends its run; @idle ones, such as
; directives, do not begin one.  A @suite holds statements, or is the one statement of a body.
[(statement_block) (class_body) (switch_case) (switch_default)] @suite
(if_statement consequence: (_) @suite)
(else_clause (_) @suite)
(for_statement body: (_) @suite)
(for_in_statement body: (_) @suite)
(while_statement body: (_) @suite)
(do_statement body: (_) @suite)
(with_statement body: (_) @suite)

[(break_statement) (continue_statement) (debugger_statement) (export_statement)
 (expression_statement) (import_statement) (return_statement) (throw_statement)
 (field_definition)] @simple
(class_body (method_definition) @simple)
; Declarations but those in the header of a for.
(program (declaration) @simple)
(statement_block (declaration) @simple)
(switch_case (declaration) @simple)
(switch_default (declaration) @simple)
(if_statement consequence: (declaration) @simple)
(else_clause (declaration) @simple)
(for_statement body: (declaration) @simple)
(for_in_statement body: (declaration) @simple)
(while_statement body: (declaration) @simple)
(do_statement body: (declaration) @simple)
(labeled_statement body: (declaration) @simple)
(expression_statement . (string) .) @idle
(return_statement) @exit.return
(throw_statement) @exit.raise
(break_statement) @exit.break
(continue_statement) @exit.continue

; A block and, around it, the stretch that it decides over.
(if_statement condition: (_) @condition) @over
(while_statement condition: (_) @condition) @over
(do_statement condition: (_) @condition) @over
(switch_statement value: (_) @condition) @over
(for_statement body: (_) @loop.body) @loop
(for_in_statement body: (_) @loop.body) @loop
(with_statement body: (_) @with.body) @with
(catch_clause body: (_) @handler.body) @handler
(switch_case ":" @case.body) @case
(switch_default ":" @case.body) @case
(try_statement . "try" @try) @over
(finally_clause . "finally" @finally) @over

; Parts of a block that do not always run, or more than once.
(binary_expression operator: ["&&" "||" "??"] right: (_) @arm)
(augmented_assignment_expression operator: ["&&=" "||=" "??="] right: (_) @arm)
(ternary_expression consequence: (_) @arm alternative: (_) @arm)

; What a function without a name does each time that it is called.
(arguments [(arrow_function body: (_) @each) (function_expression !name body: (_) @each)
            (generator_function !name body: (_) @each)])
(return_statement [(arrow_function body: (_) @each) (function_expression body: (_) @each)
                   (generator_function body: (_) @each)])
(arrow_function body: [(arrow_function body: (_) @each) (function_expression body: (_) @each)])
(array [(arrow_function body: (_) @each) (function_expression body: (_) @each)])
(ternary_expression [(arrow_function body: (_) @each) (function_expression body: (_) @each)])
(binary_expression [(arrow_function body: (_) @each) (function_expression body: (_) @each)])
(jsx_expression [(arrow_function body: (_) @each) (function_expression body: (_) @each)])

; Names.  What is neither a @label nor a @write is read.
[(identifier) (property_identifier) (private_property_identifier) (shorthand_property_identifier)
 (shorthand_property_identifier_pattern) (this) (super)] @identifier

(member_expression property: [(property_identifier) (private_property_identifier)] @member)
(pair key: (property_identifier) @label)
(pair_pattern key: (property_identifier) @label)
(object (method_definition name: (property_identifier) @label))
(jsx_attribute . (property_identifier) @label)
(import_specifier name: (identifier) @label alias: (identifier))
(export_statement
  (export_clause (export_specifier name: (identifier) @label alias: (_))) source: (_))
(function_expression name: (identifier) @label)
(generator_function name: (identifier) @label)
(class name: (identifier) @label)

(import_clause (identifier) @write)
(namespace_import (identifier) @write)
(import_specifier alias: (identifier) @write)
(import_specifier !alias name: (identifier) @write)
(variable_declarator name: (identifier) @write)
(function_declaration name: (identifier) @write)
(generator_function_declaration name: (identifier) @write)
(class_declaration name: (identifier) @write)
(class_body (method_definition
  name: [(property_identifier) (private_property_identifier)] @write))
(field_definition property: [(property_identifier) (private_property_identifier)] @write)
(assignment_expression left: (identifier) @write)
(for_in_statement left: (identifier) @write)
(catch_clause parameter: (identifier) @write)
(array_pattern (identifier) @write)
(rest_pattern (identifier) @write)
(pair_pattern value: (identifier) @write)
(assignment_pattern left: (identifier) @write)
(shorthand_property_identifier_pattern) @write
(augmented_assignment_expression left: (identifier) @update @rebound)
(update_expression argument: (identifier) @update @rebound)

; May be changed in place.
(call_expression function: (member_expression object: [(identifier) (this)] @update))
(assignment_expression left: (member_expression object: [(identifier) (this)] @update))
(assignment_expression left: (subscript_expression object: [(identifier) (this)] @update))
(assignment_expression
  left: (subscript_expression object: (subscript_expression object: (identifier) @update)))
(augmented_assignment_expression
  left: (member_expression object: [(identifier) (this)] @update))
(augmented_assignment_expression
  left: (subscript_expression object: [(identifier) (this)] @update))
(update_expression argument: (member_expression object: [(identifier) (this)] @update))
(update_expression argument: (subscript_expression object: [(identifier) (this)] @update))
(unary_expression operator: "delete"
  argument: (member_expression object: [(identifier) (this)] @update))
(unary_expression operator: "delete"
  argument: (subscript_expression object: [(identifier) (this)] @update))
(array_pattern (member_expression object: [(identifier) (this)] @update))
(array_pattern (subscript_expression object: [(identifier) (this)] @update))
