; @called by its bare name, or as a @method of what stands before it.  @base: what a class builds on.
(call_expression function: [(identifier) (super)] @called)
(new_expression constructor: (identifier) @called)
(call_expression function: (member_expression
  property: [(property_identifier) (private_property_identifier)] @method))
(new_expression constructor: (member_expression property: (property_identifier) @method))
(call_expression function: [(call_expression) (subscript_expression) (await_expression)] @computed)
; Not a function that is called where it stands: it is a part of the code around it.
(call_expression function: (parenthesized_expression
  [(assignment_expression) (await_expression) (binary_expression) (call_expression) (identifier)
   (member_expression) (new_expression) (sequence_expression) (subscript_expression)
   (ternary_expression)]) @computed)
(class_heritage [(identifier) (member_expression)] @base)
(jsx_opening_element name: (identifier) @called (#match? @called "^[A-Z]"))
(jsx_self_closing_element name: (identifier) @called (#match? @called "^[A-Z]"))

; Another name for a value.
(variable_declarator name: (identifier) @alias
  value: [(identifier) (member_expression) (call_expression) (new_expression)] @aliased)
(assignment_expression left: (identifier) @alias
  right: [(identifier) (member_expression) (call_expression) (new_expression)] @aliased)
(field_definition property: (property_identifier) @alias
  value: [(identifier) (member_expression)] @aliased)
(export_statement !source (export_clause
  (export_specifier name: (identifier) @aliased
    alias: [(identifier) "default"] @identifier @write @alias)))

; What a module gives when no name is asked for.
(export_statement "default" @identifier @write @alias value: (identifier) @aliased)
(export_statement "default" @identifier @write @alias
  declaration: [(function_declaration name: (identifier) @aliased)
                (generator_function_declaration name: (identifier) @aliased)
                (class_declaration name: (identifier) @aliased)])
(assignment_expression
  left: (member_expression object: (identifier) @alias @write property: (property_identifier) @_exports)
  right: [(identifier) (new_expression)] @aliased
  (#eq? @alias "module") (#eq? @_exports "exports"))

(import_statement) @import
(export_statement source: (_)) @import
(export_statement "*" @star source: (_))
(variable_declarator value: (call_expression function: (identifier) @_require)
  (#eq? @_require "require")) @import
(import_clause (identifier) @imported)
(namespace_import (identifier) @imported)
(import_specifier alias: (identifier) @imported)
(import_specifier !alias name: (identifier) @imported)
(variable_declarator name: [(identifier) @imported
                            (object_pattern (shorthand_property_identifier_pattern) @imported)
                            (object_pattern (pair_pattern value: (identifier) @imported))]
  value: (call_expression function: (identifier) @_require) (#eq? @_require "require"))
; Handed on from another module, under the last name.
(export_statement (export_clause
  (export_specifier alias: [(identifier) "default"] @identifier @write @imported)) source: (_))
(export_statement (export_clause
  (export_specifier !alias name: (identifier) @identifier @write @imported)) source: (_))
